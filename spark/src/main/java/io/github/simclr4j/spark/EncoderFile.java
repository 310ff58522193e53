// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import io.github.simclr4j.onnx.file.ModelFile;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * An encoder in memory.
 *
 * @param header everything except the file's bytes
 * @param bytes the bytes of the ONNX file
 */
record EncoderFile(Header header, byte[] bytes) {
    private static final String MODEL = "encoder.onnx";
    private static final String SETTINGS = "settings.json";
    /** The folder of a model whose configuration may be one folder higher. */
    private static final String ONNX = "onnx";

    private static final Gson JSON = new Gson();

    /**
     * What belongs to an encoder besides its bytes. It is sent to the executors with the function that they run, and the bytes as a
     * broadcast of their own: broadcasts use the serializer that the user chose, and Kryo can't serialize records.
     *
     * @param name the encoder's name in messages
     * @param sha256 SHA-256 of the bytes, in hexadecimal
     * @param dimension length of an embedding
     * @param settings settings by name that the file does not contain
     */
    record Header(String name, String sha256, int dimension, Map<String, String> settings) implements Serializable {}

    /**
     * Reads and tests an encoder. As in {@link OnnxEncoder#open(java.nio.file.Path)}, its settings may be in configuration files beside
     * it, or one folder higher if its folder is called {@code onnx}.
     *
     * @param path path in any Hadoop file system
     * @param given settings that override those in files beside the encoder
     * @param hadoop the configuration of the file systems
     * @throws IOException if the file can't be read, is not an encoder, or has its weights in a second file; the message names it
     */
    static EncoderFile read(Path path, Map<String, String> given, Configuration hadoop) throws IOException {
        FileSystem files = path.getFileSystem(hadoop);
        if (!files.exists(path)) {
            throw new IOException(path + ": no such file; expected an encoder in ONNX format");
        }
        byte[] bytes = bytes(files, path);
        if (!ModelFile.check(bytes, path.toString(), null).external().isEmpty()) {
            throw new IOException(path + " has its weights in a second file: save it as one file of at most 2 GB");
        }
        // Qualified, because the parent of a relative path may have no name.
        Path folder = files.makeQualified(path).getParent();
        boolean higher = folder.getName().equals(ONNX);
        // The code that reads a configuration beside an encoder supports only local folders.
        java.nio.file.Path root = Files.createTempDirectory("simclr-spark");
        java.nio.file.Path local = root.resolve(higher ? ONNX : "encoder");
        try {
            copyConfigurations(files, folder, Files.createDirectory(local));
            if (higher) {
                copyConfigurations(files, folder.getParent(), root);
            }
            try (OnnxEncoder encoder = OnnxEncoder.open(
                    bytes,
                    path.toString(),
                    local,
                    EncoderSettings.of(given, "param"),
                    RuntimeSettings.DEFAULT.withThreads(1))) {
                Map<String, String> settings = new LinkedHashMap<>();
                encoder.settings().values().forEach((key, value) -> {
                    if (!Set.of("metadata", "graph", "default").contains(value.source())) {
                        settings.put(key, value.text());
                    }
                });
                return new EncoderFile(
                        new Header(path.toString(), encoder.sha256(), encoder.dimension(), settings), bytes);
            } catch (IOException e) {
                String message = String.valueOf(e.getMessage()).replace(local.toString(), folder.toString());
                throw new IOException(
                        higher
                                ? message.replace(
                                        root.toString(), folder.getParent().toString())
                                : message,
                        e);
            }
        } finally {
            for (java.nio.file.Path copies : new java.nio.file.Path[] {local, root}) {
                delete(copies);
            }
        }
    }

    private static void copyConfigurations(FileSystem files, Path from, java.nio.file.Path to) throws IOException {
        for (String name : EncoderSettings.CONFIGURATIONS) {
            Path file = new Path(from, name);
            if (files.exists(file) && files.getFileStatus(file).isFile()) {
                Files.write(to.resolve(name), bytes(files, file));
            }
        }
    }

    /** Deletes a folder that contains only files. */
    private static void delete(java.nio.file.Path folder) throws IOException {
        if (Files.isDirectory(folder)) {
            try (Stream<java.nio.file.Path> list = Files.list(folder)) {
                for (java.nio.file.Path file : list.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(folder);
        }
    }

    /**
     * Reads an encoder that {@link #save} has written.
     *
     * @throws IOException if the encoder can't be read or is damaged
     */
    static EncoderFile load(Path folder, Configuration hadoop) throws IOException {
        Settings saved = settings(folder.getFileSystem(hadoop), new Path(folder, SETTINGS));
        EncoderFile read = read(new Path(folder, MODEL), saved.settings(), hadoop);
        Header header = read.header();
        if (!header.sha256().equals(saved.sha256())) {
            throw new IOException(header.name() + " is not the encoder that was saved: its SHA-256 is "
                    + header.sha256() + ", not " + saved.sha256());
        }
        return read;
    }

    private static Settings settings(FileSystem files, Path path) throws IOException {
        JsonParseException cause = null;
        try {
            Settings saved = JSON.fromJson(new String(bytes(files, path), StandardCharsets.UTF_8), Settings.class);
            if (saved != null
                    && saved.sha256() != null
                    && saved.settings() != null
                    && !saved.settings().containsValue(null)) {
                return saved;
            }
        } catch (JsonParseException e) {
            cause = e;
        }
        throw new IOException(path + " is not the settings of a saved encoder: save the stage again", cause);
    }

    private record Settings(String sha256, Map<String, String> settings) {}

    /** Writes the encoder and its settings into a folder. */
    void save(Path folder, Configuration hadoop) throws IOException {
        FileSystem files = folder.getFileSystem(hadoop);
        files.mkdirs(folder);
        write(files, new Path(folder, MODEL), bytes);
        write(
                files,
                new Path(folder, SETTINGS),
                JSON.toJson(new Settings(header.sha256(), header.settings())).getBytes(StandardCharsets.UTF_8));
    }

    private static void write(FileSystem files, Path path, byte[] bytes) throws IOException {
        try (java.io.OutputStream out = files.create(path, false)) {
            out.write(bytes);
        }
    }

    /**
     * Reads a file from any Hadoop file system.
     *
     * @throws IOException if the file can't be read or is larger than 2 GB
     */
    static byte[] bytes(FileSystem files, Path path) throws IOException {
        if (files.getFileStatus(path).getLen() > Integer.MAX_VALUE - 16) {
            throw new IOException(path + " is larger than 2 GB: expected a file of at most 2 GB");
        }
        return content(files, path);
    }

    /** Reads a file of any size that fits into an array, without asking for its size first. */
    static byte[] content(FileSystem files, Path path) throws IOException {
        try (InputStream in = files.open(path)) {
            return in.readAllBytes();
        }
    }
}
