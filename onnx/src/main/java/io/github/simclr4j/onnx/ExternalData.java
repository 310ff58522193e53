package io.github.simclr4j.onnx;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.UnaryOperator;

/**
 * Initialisers in a file beside the model (onnx/docs/ExternalData.md), since a protobuf message ends at 2 GB. While it
 * is written the values go to a temporary file, one tensor at a time. The finished file is named after its content: a new
 * model never shares it with the one that it replaces, so whatever happens either the old pair or the new one is whole.
 */
final class ExternalData implements UnaryOperator<TensorProto>, AutoCloseable {
    /** Where a tensor starts is a multiple of this, so that a runtime can map the file. */
    private static final int ALIGNMENT = 4096;
    /** Smaller tensors stay in the model. */
    private static final int SMALL = 1024;
    private static final String PENDING = "?";

    private final Path model;
    private final Path part;
    private final FileChannel out;
    private final MessageDigest digest = sha256();
    private long position;

    /** Opens the data file of a model that is to be written. */
    ExternalData(Path model) throws IOException {
        this.model = model.toAbsolutePath();
        Files.createDirectories(this.model.getParent());
        part = this.model.resolveSibling(this.model.getFileName() + ".data.part");
        out = FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Moves a tensor's values to the file and returns the tensor that refers to them. */
    @Override
    public TensorProto apply(TensorProto t) {
        ByteString data = t.getRawData();
        if (data.size() < SMALL) {
            return t;
        }
        try {
            write(ByteBuffer.allocate((int) ((ALIGNMENT - position % ALIGNMENT) % ALIGNMENT)));
            long offset = position;
            for (ByteBuffer b : data.asReadOnlyByteBufferList()) {
                write(b);
            }
            return t.toBuilder()
                    .clearRawData()
                    .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                    .addExternalData(entry("location", PENDING))
                    .addExternalData(entry("offset", Long.toString(offset)))
                    .addExternalData(entry("length", Long.toString(data.size())))
                    .build();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void write(ByteBuffer b) throws IOException {
        digest.update(b.duplicate());
        while (b.hasRemaining()) {
            position += out.write(b);
        }
    }

    static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }

    /** Names the data file in a model whose tensors came from {@link #apply}, and puts both files in their place. */
    void finish(ModelProto built) throws IOException {
        out.force(true);
        out.close();
        String hash = HexFormat.of().formatHex(digest.digest());
        String name = model.getFileName() + "-" + hash.substring(0, 12) + ".data";
        ModelProto.Builder named = built.toBuilder().addMetadataProps(entry("external_data.sha256", hash));
        for (TensorProto.Builder t : named.getGraphBuilder().getInitializerBuilderList()) {
            for (StringStringEntryProto.Builder e : t.getExternalDataBuilderList()) {
                if (e.getValue().equals(PENDING)) {
                    e.setValue(name);
                }
            }
        }
        TreeSet<String> before = old();
        Files.move(part, model.resolveSibling(name), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        try {
            EncoderWriter.write(model, named.build().toByteArray());
        } catch (IOException e) {
            if (!before.contains(name)) {
                Files.deleteIfExists(model.resolveSibling(name));
            }
            throw e;
        }
        before.remove(name);
        for (String left : before) {
            Files.deleteIfExists(model.resolveSibling(left));
        }
    }

    /** Data files of ours that the model to be replaced refers to. */
    private TreeSet<String> old() throws IOException {
        TreeSet<String> names = new TreeSet<>();
        if (Files.isRegularFile(model)) {
            try (InputStream in = Files.newInputStream(model)) {
                names.addAll(locations(ModelProto.parseFrom(in)));
            } catch (com.google.protobuf.InvalidProtocolBufferException e) {
                // Whatever it was, it is replaced.
                names.clear();
            }
            names.removeIf(n -> !n.startsWith(model.getFileName() + "-") || !n.endsWith(".data") || n.contains("/"));
        }
        return names;
    }

    /** The files that a model's initialisers are in. */
    static TreeSet<String> locations(ModelProto model) {
        TreeSet<String> names = new TreeSet<>();
        model.getGraph().getInitializerList().forEach(t -> {
            String location = entries(t.getExternalDataList()).get("location");
            if (isExternal(t) && location != null) {
                names.add(location);
            }
        });
        return names;
    }

    static boolean isExternal(TensorProto t) {
        return t.getDataLocation() == TensorProto.DataLocation.EXTERNAL;
    }

    private static Map<String, String> entries(List<StringStringEntryProto> list) {
        Map<String, String> map = new HashMap<>();
        list.forEach(e -> map.put(e.getKey(), e.getValue()));
        return map;
    }

    /**
     * Where an external tensor's values are.
     *
     * @param file the file, inside the model's folder
     * @param offset of the first byte
     * @param length in bytes
     */
    record Place(Path file, long offset, long length) {}

    /**
     * Finds an external tensor's values.
     *
     * @param folder the model's folder, which the file must be in
     * @throws IOException if it is outside, missing, too short, or not of the tensor's size
     */
    static Place place(TensorProto t, Path folder) throws IOException {
        Map<String, String> at = entries(t.getExternalDataList());
        String location = at.getOrDefault("location", "");
        try {
            Path root = folder.toRealPath();
            Path file = root.resolve(location);
            if (location.isEmpty() || Path.of(location).isAbsolute() || !file.normalize().startsWith(root)
                    || Files.exists(file) && !file.toRealPath().startsWith(root)) {
                throw new IOException("tensor " + t.getName() + " is in '" + location
                        + "': expected a file in the folder of the model");
            }
            if (!Files.isRegularFile(file)) {
                throw new IOException(
                        "tensor " + t.getName() + " is in " + location + ", which is missing beside the model");
            }
            int width = TensorValues.width(t.getDataType());
            long expected = Math.multiplyExact(TensorValues.count(t.getDimsList()), (long) width);
            long offset = Long.parseLong(at.getOrDefault("offset", "0"));
            long size = Files.size(file);
            long length = at.containsKey("length") ? Long.parseLong(at.get("length")) : expected;
            if (width == 0 || length != expected || offset < 0 || offset > size || length > size - offset) {
                throw new IOException("tensor " + t.getName() + " needs " + expected + " bytes at " + offset + " of "
                        + location + ", found " + length + " of " + size);
            }
            return new Place(file, offset, length);
        } catch (NumberFormatException | ArithmeticException | InvalidPathException e) {
            throw new IOException("tensor " + t.getName() + " has a bad reference to its data: " + e.getMessage(), e);
        }
    }

    /** A tensor with its values in it. */
    static TensorProto load(TensorProto t, Path folder) throws IOException {
        if (!isExternal(t)) {
            return t;
        }
        Place place = place(t, folder);
        if (place.length() > Integer.MAX_VALUE - 8) {
            throw new IOException(
                    "tensor " + t.getName() + " is " + place.length() + " bytes: at most 2 GB can be converted");
        }
        ByteBuffer b = ByteBuffer.allocate((int) place.length());
        try (FileChannel in = FileChannel.open(place.file())) {
            while (b.hasRemaining()) {
                if (in.read(b, place.offset() + b.position()) < 0) {
                    throw new IOException("tensor " + t.getName() + ": " + place.file() + " became shorter");
                }
            }
        }
        return t.toBuilder()
                .clearExternalData()
                .clearDataLocation()
                .setRawData(UnsafeByteOperations.unsafeWrap(b.flip()))
                .build();
    }

    /** Ends the writing; what is not finished is deleted. */
    @Override
    public void close() throws IOException {
        out.close();
        Files.deleteIfExists(part);
    }
}
