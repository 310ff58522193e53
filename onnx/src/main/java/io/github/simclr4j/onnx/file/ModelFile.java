// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.InvalidProtocolBufferException;
import io.github.simclr4j.onnx.internal.TensorTypes;
import io.github.simclr4j.util.AtomicFiles;
import io.github.simclr4j.util.RegularFiles;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Reads and writes ONNX models, with or without external data.
 *
 * @since 0.1.0
 */
public final class ModelFile {
    /** Maximum size of the weights in the model file in bytes: a protobuf message is limited to 2 GB, and the graph needs some room. */
    public static final long LIMIT = (1L << 31) - (64 << 20);

    private ModelFile() {}

    /**
     * Parses a model without loading external data.
     *
     * @param file the ONNX file
     * @return the model, in which external tensors are references
     * @throws InvalidEncoderException if the file is not an ONNX file
     * @throws IOException if the file can't be read
     */
    public static ModelProto parse(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + " is not a file: expected an encoder in ONNX format");
        }
        if (Files.size(file) > Integer.MAX_VALUE - 8) {
            throw new InvalidEncoderException(file + " is not an ONNX file: a protobuf message has at most 2 GB");
        }
        ModelProto model;
        try {
            model = ModelProto.parseFrom(RegularFiles.read(file));
        } catch (InvalidProtocolBufferException e) {
            throw new InvalidEncoderException(file + " is not an ONNX file, or a damaged one: " + e.getMessage(), e);
        }
        if (model.getIrVersion() == 0 || model.getGraph().getNodeCount() == 0) {
            throw new InvalidEncoderException(file + " is not an ONNX file: it contains no graph");
        }
        return model;
    }

    /**
     * Reads and checks a model, and loads the values of all initialisers into memory.
     *
     * @param file the ONNX file
     * @throws InvalidEncoderException if the file is not an ONNX file, or is damaged or unsafe
     * @throws IOException if a file can't be read
     */
    public static ModelProto read(Path file) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        Checked checked = ModelValidator.check(bytes(file), file.toString(), folder);
        ModelChecksum.verify(checked.model(), checked.external(), file.toString());
        ModelProto.Builder model = ModelChecksum.without(checked.model()).toBuilder();
        for (int i = 0; i < model.getGraph().getInitializerCount(); i++) {
            TensorProto t = model.getGraph().getInitializer(i);
            if (TensorTypes.isExternal(t)) {
                model.getGraphBuilder().setInitializer(i, ExternalData.load(t, folder, file.toString()));
            }
        }
        // A data file that is written later gets a new hash.
        for (int i = model.getMetadataPropsCount() - 1; i >= 0; i--) {
            if (model.getMetadataProps(i).getKey().equals(EncoderMetadata.EXTERNAL_DATA)) {
                model.removeMetadataProps(i);
            }
        }
        return model.build();
    }

    /** Returns the size of all initialisers in memory in bytes. */
    static long weightBytes(ModelProto model) {
        return model.getGraph().getInitializerList().stream()
                .mapToLong(t -> t.getRawData().size()
                        + 4L * t.getFloatDataCount()
                        + 4L * t.getInt32DataCount()
                        + 8L * t.getInt64DataCount())
                .sum();
    }

    /**
     * Writes a model atomically.
     *
     * @param file the ONNX file
     * @param model the model
     * @param limit maximum size of the weights in the model file in bytes; larger weights are written as external data
     * @throws IOException if a file can't be written; the message names it
     */
    public static void write(Path file, ModelProto model, long limit) throws IOException {
        write(file, weightBytes(model), limit, store -> {
            ModelProto.Builder b = model.toBuilder();
            for (int i = 0; i < model.getGraph().getInitializerCount(); i++) {
                b.getGraphBuilder()
                        .setInitializer(i, store.apply(model.getGraph().getInitializer(i)));
            }
            return b.build();
        });
    }

    /**
     * Writes a model atomically while it is built, so that its weights need not all be in memory.
     *
     * @param file the ONNX file
     * @param bytes size of the weights in bytes
     * @param limit maximum size of the weights in the model file in bytes; larger weights are written as external data
     * @param build builds the model, and passes each initialiser through its argument
     * @throws IOException if a file can't be written; the message names it
     */
    public static void write(Path file, long bytes, long limit, Function<UnaryOperator<TensorProto>, ModelProto> build)
            throws IOException {
        if (bytes <= limit) {
            AtomicFiles.write(
                    file,
                    ModelChecksum.sign(build.apply(UnaryOperator.identity())).toByteArray());
            return;
        }
        try (ExternalData data = new ExternalData(file)) {
            data.finish(build.apply(data));
        } catch (UncheckedIOException | FileSystemException e) {
            Throwable cause = e instanceof UncheckedIOException ? e.getCause() : e;
            throw new IOException(
                    "Can't write " + file + ": " + cause + "; choose another path or free some space", cause);
        }
    }

    /**
     * Returns the bytes of a model's file.
     *
     * @param file the ONNX file
     * @throws InvalidEncoderException if the file is larger than 2 GB, the limit of a protobuf message
     * @throws IOException if the file can't be read
     */
    public static byte[] bytes(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + " is not a file: expected an encoder in ONNX format");
        }
        if (Files.size(file) > Integer.MAX_VALUE - 16) {
            throw new InvalidEncoderException(file + " has " + Files.size(file)
                    + " bytes, more than the 2 GB of a protobuf message: export it with external data");
        }
        return RegularFiles.read(file);
    }

    /**
     * Returns the SHA-256 of a model's file followed by the files of its external data.
     *
     * @param bytes the bytes of the model's file
     * @param external the files of the external data, which are hashed in the order of their paths
     * @return the hash in hexadecimal
     * @throws IOException if a file can't be read
     */
    public static String sha256(byte[] bytes, Set<Path> external) throws IOException {
        Sha256 hash = new Sha256().update(bytes);
        byte[] part = new byte[1 << 16];
        for (Path f : external) {
            try (InputStream in = Files.newInputStream(f)) {
                for (int n = in.read(part); n >= 0; n = in.read(part)) {
                    hash.update(part, 0, n);
                }
            }
        }
        return hash.hex();
    }

    /**
     * Parses a model, checks that it is safe to pass to native code, and compares its checksum if it has one.
     *
     * @param bytes the bytes of the file
     * @param name the model's name in messages
     * @param folder the folder that must contain its external data, or null if it must have none
     * @throws InvalidEncoderException if the model is damaged or unsafe
     */
    public static Checked check(byte[] bytes, String name, Path folder) throws InvalidEncoderException {
        Checked checked = ModelValidator.check(bytes, name, folder);
        try {
            ModelChecksum.verify(checked.model(), checked.external(), name);
        } catch (InvalidEncoderException e) {
            throw e;
        } catch (IOException e) {
            throw new InvalidEncoderException(name + " has external data that can't be read: " + e, e);
        }
        return checked;
    }

    /**
     * A model that has passed the check.
     *
     * @param model the model
     * @param external the real paths of the files with its external data
     */
    public record Checked(ModelProto model, Set<Path> external) {}
}
