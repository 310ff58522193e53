package io.github.simclr4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.onnx.EncoderWriter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/**
 * The state after an epoch, one file an epoch, of which the last two stay. A file is written beside its place, forced to
 * disk and renamed, so that a kill leaves the last good one. Layout: magic, version, settings, tensors, CRC-32.
 */
public final class Checkpoint {
    private static final int MAGIC = 0x53434c52;
    private static final int VERSION = 1;
    private static final Pattern NAME = Pattern.compile("epoch-(\\d{6})\\.ckpt");

    private Checkpoint() {}

    /** What a checkpoint says of itself. */
    record State(int epoch, long step, double loss, Map<String, String> settings) {}

    /** Writes the state and deletes all but the last two. */
    static void write(Path folder, State state, Map<String, NDArray> tensors) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(MAGIC);
        out.writeInt(VERSION);
        out.writeInt(state.epoch());
        out.writeLong(state.step());
        out.writeDouble(state.loss());
        out.writeInt(state.settings().size());
        for (Map.Entry<String, String> e : state.settings().entrySet()) {
            out.writeUTF(e.getKey());
            out.writeUTF(e.getValue());
        }
        out.writeInt(tensors.size());
        for (Map.Entry<String, NDArray> e : tensors.entrySet()) {
            float[] values = e.getValue().toFloatArray();
            out.writeUTF(e.getKey());
            out.writeInt(values.length);
            ByteBuffer b = ByteBuffer.allocate(4 * values.length);
            b.asFloatBuffer().put(values);
            out.write(b.array());
        }
        CRC32 crc = new CRC32();
        crc.update(bytes.toByteArray());
        out.writeLong(crc.getValue());
        EncoderWriter.write(folder.resolve(String.format("epoch-%06d.ckpt", state.epoch())), bytes.toByteArray());
        List<Path> all = list(folder);
        for (Path old : all.subList(0, Math.max(0, all.size() - 2))) {
            Files.delete(old);
        }
    }

    /**
     * Fills the tensors from the last good checkpoint.
     *
     * @param settings the present run's, of which only {@code training.epochs} may differ
     * @return what it was, or null where there is none
     * @throws IOException if it belongs to another run, or if all are damaged
     */
    static State read(Path folder, Map<String, String> settings, Map<String, NDArray> tensors, Consumer<String> warn)
            throws IOException {
        List<Path> all = list(folder);
        for (int i = all.size() - 1; i >= 0; i--) {
            byte[] bytes = Files.readAllBytes(all.get(i));
            if (sound(bytes)) {
                return fill(all.get(i), bytes, settings, tensors);
            }
            warn.accept(all.get(i) + " is damaged" + (i > 0 ? ", taking the one before" : ""));
        }
        if (!all.isEmpty()) {
            throw new IOException("No checkpoint in " + folder + " is whole: delete the folder to start anew");
        }
        return null;
    }

    private static boolean sound(byte[] bytes) {
        if (bytes.length < 16 || ByteBuffer.wrap(bytes).getInt() != MAGIC) {
            return false;
        }
        CRC32 crc = new CRC32();
        crc.update(bytes, 0, bytes.length - 8);
        return ByteBuffer.wrap(bytes).getLong(bytes.length - 8) == crc.getValue();
    }

    private static State fill(Path file, byte[] bytes, Map<String, String> settings, Map<String, NDArray> tensors)
            throws IOException {
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
        in.readInt();
        int version = in.readInt();
        if (version != VERSION) {
            throw new IOException(file + ": expected checkpoint version " + VERSION + ", found " + version);
        }
        int epoch = in.readInt();
        long step = in.readLong();
        double loss = in.readDouble();
        Map<String, String> saved = new TreeMap<>();
        for (int i = in.readInt(); i > 0; i--) {
            saved.put(in.readUTF(), in.readUTF());
        }
        for (String key : settings.keySet()) {
            if (!key.equals("training.epochs") && !settings.get(key).equals(saved.get(key))) {
                throw new IOException(file + " belongs to another run: " + key + " was " + saved.get(key) + ", is now "
                        + settings.get(key) + "; name another --checkpoint folder or delete this one");
            }
        }
        for (int i = in.readInt(); i > 0; i--) {
            String name = in.readUTF();
            float[] values = new float[in.readInt()];
            ByteBuffer.wrap(in.readNBytes(4 * values.length)).asFloatBuffer().get(values);
            NDArray a = tensors.get(name);
            if (a == null || a.getShape().size() != values.length) {
                throw new IOException(file + " has an unknown tensor " + name);
            }
            Shape shape = a.getShape();
            try (NDArray source = a.getManager().create(values, shape)) {
                a.muli(0).addi(source);
            }
        }
        return new State(epoch, step, loss, saved);
    }

    /** Deletes the checkpoints of a folder, and the folder if nothing else is in it. */
    public static void delete(Path folder) throws IOException {
        for (Path file : list(folder)) {
            Files.delete(file);
        }
        try {
            Files.deleteIfExists(folder);
        } catch (java.nio.file.DirectoryNotEmptyException e) {
            // Someone else's files stay.
        }
    }

    /** The checkpoints, oldest first. */
    static List<Path> list(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return Arrays.asList(files.filter(f -> NAME.matcher(f.getFileName().toString()).matches())
                    .sorted(Comparator.comparing(Path::getFileName))
                    .toArray(Path[]::new));
        }
    }
}
