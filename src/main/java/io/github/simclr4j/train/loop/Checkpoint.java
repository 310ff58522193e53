// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import io.github.simclr4j.train.monitor.Diagnosis;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.util.AtomicFiles;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;

/**
 * The state of a run between two steps, in one file per state; see {@link CheckpointFolder}.
 *
 * <p>A file is written under a temporary name, synced to disk and renamed, so that a crash leaves the previous one intact. Layout:
 * magic number, version, position, settings, tensors, CRC-32.
 *
 * @since 0.1.0
 */
public final class Checkpoint {
    private static final int MAGIC = 0x53434c52;
    private static final int VERSION = 3;
    /** Settings that may differ when a run continues. */
    private static final Set<String> FREE = Set.of(
            "training.epochs",
            "training.learning_rate",
            "training.warmup_epochs",
            PretrainSettings.PRESET,
            TrainingRun.RUN);

    /** Values of options that are off. */
    private static final Set<String> OFF = Set.of("0", "0.0", "false");

    private Checkpoint() {}

    /**
     * Tells whether a setting is an option that is off and that the recorded settings don't contain, because an earlier version wrote
     * them. Such settings are equal.
     *
     * @param key name of the setting
     * @param now the run's settings
     * @param recorded the settings of a checkpoint or an encoder
     */
    public static boolean isOffAndUnknown(String key, Map<String, String> now, Map<String, String> recorded) {
        return !recorded.containsKey(key) && OFF.contains(now.get(key));
    }

    /**
     * The position of a run, from which, with the seed, everything random follows.
     *
     * @param epoch number of finished epochs
     * @param step number of finished steps of the current epoch
     * @param loss mean loss of the last complete epoch, or NaN
     * @param scale loss scale of mixed precision
     * @param good steps since the loss scale last changed
     * @param atChance consecutive epochs whose loss was at chance, see {@link Diagnosis}
     * @param rising see {@link Diagnosis#rising}
     * @param settings settings of the run
     */
    public record State(
            int epoch,
            int step,
            double loss,
            double scale,
            double good,
            int atChance,
            int rising,
            Map<String, String> settings) {}

    /** Writes the state to a file atomically. */
    static void write(Path file, State state, Map<String, NDArray> tensors) throws IOException {
        AtomicFiles.write(file, stream -> {
            CheckedOutputStream checked = new CheckedOutputStream(stream, new CRC32());
            DataOutputStream out = new DataOutputStream(checked);
            write(out, state, tensors);
            out.writeLong(checked.getChecksum().getValue());
        });
    }

    private static void write(DataOutputStream out, State state, Map<String, NDArray> tensors) throws IOException {
        out.writeInt(MAGIC);
        out.writeInt(VERSION);
        out.writeInt(state.epoch());
        out.writeInt(state.step());
        out.writeDouble(state.loss());
        out.writeDouble(state.scale());
        out.writeDouble(state.good());
        out.writeInt(state.atChance());
        out.writeInt(state.rising());
        out.writeInt(state.settings().size());
        for (Map.Entry<String, String> e : state.settings().entrySet()) {
            out.writeUTF(e.getKey());
            out.writeUTF(e.getValue());
        }
        out.writeInt(tensors.size());
        for (Map.Entry<String, NDArray> e : tensors.entrySet()) {
            out.writeUTF(e.getKey());
            out.writeUTF(e.getValue().getDataType().name());
            byte[] bytes = e.getValue().toByteArray();
            out.writeInt(bytes.length);
            out.write(bytes);
        }
    }

    /** Tells whether a file is a complete and undamaged checkpoint. */
    static boolean sound(Path file) throws IOException {
        long body = Files.size(file) - 8;
        if (body < 8) {
            return false;
        }
        try (DataInputStream raw = open(file)) {
            CheckedInputStream in = new CheckedInputStream(raw, new CRC32());
            long read = 0;
            byte[] buffer = new byte[1 << 16];
            byte[] head = new byte[4];
            while (read < body) {
                int n = in.read(buffer, 0, (int) Math.min(buffer.length, body - read));
                if (n < 0) {
                    return false;
                }
                if (read == 0) {
                    System.arraycopy(buffer, 0, head, 0, Math.min(4, n));
                }
                read += n;
            }
            return ByteBuffer.wrap(head).getInt() == MAGIC
                    && raw.readLong() == in.getChecksum().getValue();
        }
    }

    private static DataInputStream open(Path file) throws IOException {
        return new DataInputStream(new BufferedInputStream(Files.newInputStream(file), 1 << 16));
    }

    /**
     * Loads the tensors from a file.
     *
     * @param file the checkpoint
     * @param settings settings of the current run
     * @param tensors tensors by name, overwritten in place
     * @param warn receives warnings
     * @throws IOException if the file belongs to another run
     */
    static State fill(Path file, Map<String, String> settings, Map<String, NDArray> tensors, Consumer<String> warn)
            throws IOException {
        try (DataInputStream in = open(file)) {
            State state = header(file, in);
            compare(file, settings, state.settings(), warn);
            for (int i = in.readInt(); i > 0; i--) {
                String name = in.readUTF().replaceFirst("^optimiser\\.", "optimizer.");
                DataType type = DataType.valueOf(in.readUTF());
                byte[] bytes = new byte[in.readInt()];
                in.readFully(bytes);
                NDArray a = tensors.get(name);
                if (a == null
                        || a.getDataType() != type
                        || a.getShape().size() * type.getNumOfBytes() != bytes.length) {
                    throw new IOException(file + " does not fit this run: it has an unknown tensor " + name);
                }
                ByteBuffer direct = ByteBuffer.allocateDirect(bytes.length).order(ByteOrder.nativeOrder());
                try (NDArray source = a.getManager().create(direct.put(bytes).rewind(), a.getShape(), type)) {
                    a.muli(0).addi(source);
                }
            }
            return state;
        }
    }

    /** Reads everything before the tensors. */
    private static State header(Path file, DataInputStream in) throws IOException {
        if (in.readInt() != MAGIC) {
            throw new IOException(file + " is not a checkpoint: expected a step-*.ckpt file");
        }
        int version = in.readInt();
        if (version != VERSION) {
            throw new IOException(file + ": expected checkpoint version " + VERSION + ", found " + version
                    + "; delete the folder to start over");
        }
        int epoch = in.readInt();
        int step = in.readInt();
        double loss = in.readDouble();
        double scale = in.readDouble();
        double good = in.readDouble();
        int atChance = in.readInt();
        int rising = in.readInt();
        Map<String, String> settings = new TreeMap<>();
        for (int i = in.readInt(); i > 0; i--) {
            settings.put(in.readUTF(), in.readUTF());
        }
        return new State(epoch, step, loss, scale, good, atChance, rising, today(settings));
    }

    /** Translates saved settings to their current names: three of them were written differently up to November 2026. */
    private static Map<String, String> today(Map<String, String> saved) {
        Map<String, String> settings = new TreeMap<>(saved);
        PretrainSettings.renameOptimizer(settings);
        String mixed = settings.remove("training.mixed_precision");
        if (mixed != null) {
            settings.put(
                    "training.precision", (Boolean.parseBoolean(mixed) ? Precision.FLOAT16 : Precision.FLOAT32).text());
        }
        String[] momentum =
                settings.getOrDefault("training.momentum_encoder", "").split(" to ");
        if (momentum.length == 2) {
            settings.put("training.momentum_encoder", momentum[0]);
            // A constant momentum was written as a rise to the same value.
            settings.put("training.momentum_encoder_end", momentum[1].equals(momentum[0]) ? "0.0" : momentum[1]);
        }
        return settings;
    }

    /**
     * Reads the float32 tensors of a checkpoint.
     *
     * @param file the checkpoint
     * @return values by name, in row-major order
     * @throws IOException if the file cannot be read, is damaged or has another version
     */
    public static Map<String, float[]> tensors(Path file) throws IOException {
        if (!Files.isRegularFile(file) || !sound(file)) {
            throw new IOException(file + " is not a complete checkpoint: expected a step-*.ckpt file");
        }
        Map<String, float[]> all = new TreeMap<>();
        try (DataInputStream in = open(file)) {
            header(file, in);
            for (int i = in.readInt(); i > 0; i--) {
                String name = in.readUTF().replaceFirst("^optimiser\\.", "optimizer.");
                boolean floats = in.readUTF().equals(DataType.FLOAT32.name());
                byte[] bytes = in.readNBytes(in.readInt());
                if (floats) {
                    float[] values = new float[bytes.length / Float.BYTES];
                    ByteBuffer.wrap(bytes)
                            .order(ByteOrder.nativeOrder())
                            .asFloatBuffer()
                            .get(values);
                    all.put(name, values);
                }
            }
        }
        return all;
    }

    private static void compare(Path file, Map<String, String> now, Map<String, String> saved, Consumer<String> warn)
            throws IOException {
        // A setting that only one of them has follows from a setting that both have, so the latter is reported first.
        Set<String> keys = new LinkedHashSet<>(now.keySet());
        keys.retainAll(saved.keySet());
        keys.addAll(now.keySet());
        keys.addAll(saved.keySet());
        for (String key : keys) {
            String was = saved.get(key);
            if (Objects.equals(now.get(key), was) || isOffAndUnknown(key, now, saved)) {
                continue;
            }
            if (!FREE.contains(key)) {
                throw new IOException(file + " belongs to another run: " + key + " was " + was + ", is now "
                        + now.get(key) + "; choose another folder for the checkpoints or delete this one");
            }
            if (key.equals("training.learning_rate") || key.equals("training.warmup_epochs")) {
                warn.accept(key + " was " + was + " so far, from now on it is " + now.get(key));
            }
        }
    }
}
