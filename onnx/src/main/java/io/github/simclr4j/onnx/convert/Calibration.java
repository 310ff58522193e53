// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.convert;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.simclr4j.onnx.file.ModelFile;
import io.github.simclr4j.onnx.internal.GraphIndex;
import io.github.simclr4j.onnx.internal.NativeRuntime;
import io.github.simclr4j.onnx.runtime.GraphBinding;
import io.github.simclr4j.onnx.runtime.ImageInput;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.util.OwnedFolder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Measures the ranges of a graph's values by running it on calibration images. */
final class Calibration {
    private static final int BINS = 2048;
    /** The share of values that the percentile method keeps. */
    private static final double KEPT = 0.9999;

    private Calibration() {}

    /** A range of values. It always includes 0, which must be exact for padding and ReLU. */
    record Range(float min, float max) {
        Range {
            if (!(min <= 0 && max >= 0) || !Float.isFinite(min) || !Float.isFinite(max)) {
                throw new IllegalArgumentException("A range must include 0 and be finite, found " + min + " to " + max);
            }
        }

        /** Returns the scale for 256 levels. */
        float scale() {
            return max > min ? (float) (((double) max - min) / 255) : 1;
        }

        /** Returns the level that represents 0. */
        int zeroPoint() {
            return Math.max(0, Math.min(255, Math.round(-min / scale())));
        }
    }

    /** The distribution of one value: first its extremes, then a histogram between them. */
    private static final class Spread {
        float min;
        float max;
        final long[] bins = new long[BINS];

        void extremes(FloatBuffer values, String name) {
            while (values.hasRemaining()) {
                float v = values.get();
                if (!Float.isFinite(v)) {
                    throw new IllegalArgumentException("The value " + name
                            + " is not finite for a calibration image: check the image and the encoder");
                }
                min = Math.min(min, v);
                max = Math.max(max, v);
            }
        }

        void count(FloatBuffer values) {
            double perBin = BINS / ((double) max - min);
            while (values.hasRemaining()) {
                bins[(int) Math.min(BINS - 1, (values.get() - min) * perBin)]++;
            }
        }

        Range range(CalibrationMethod method) {
            return switch (method) {
                case MIN_MAX -> new Range(min, max);
                case PERCENTILE -> percentile();
                case MSE -> leastSquares();
            };
        }

        private Range percentile() {
            long tail = (long) (Arrays.stream(bins).sum() * (1 - KEPT) / (min < 0 && max > 0 ? 2 : 1));
            int low = 0;
            for (long left = tail; min < 0 && low < BINS - 1 && bins[low] <= left; low++) {
                left -= bins[low];
            }
            int high = BINS;
            for (long left = tail; max > 0 && high > low + 1 && bins[high - 1] <= left; high--) {
                left -= bins[high - 1];
            }
            return new Range(Math.min(0, edge(low)), Math.max(0, edge(high)));
        }

        private float edge(int bin) {
            return (float) (min + ((double) max - min) * bin / BINS);
        }

        /** Tries ranges that are shrunk in steps to a fifth, by the same factor at both ends. */
        private Range leastSquares() {
            Range best = new Range(min, max);
            double least = Double.MAX_VALUE;
            for (int i = 0; i <= 80; i++) {
                float shrink = 1 - i / 100f;
                Range r = new Range(min * shrink, max * shrink);
                double error = 0;
                double step = r.scale();
                for (int j = 0; j < BINS; j++) {
                    double v = min + ((double) max - min) * (j + 0.5) / BINS;
                    double outside = Math.max(0, Math.max(v - r.max(), r.min() - v));
                    error += bins[j] * (outside * outside + (outside > 0 ? 0 : step * step / 12));
                }
                if (error < least) {
                    least = error;
                    best = r;
                }
            }
            return best;
        }
    }

    /**
     * Runs a graph on images and returns the ranges of some of its values.
     *
     * @param model the float32 model, with its weights in memory
     * @param binding the inputs and outputs of the encoder
     * @param values names of the values
     * @param with the images, the calibration method and the runtime settings
     * @throws IOException if a large model can't be written to a temporary file for ONNX Runtime
     */
    static Map<String, Range> ranges(
            ModelProto model, GraphBinding binding, Set<String> values, CalibrationSettings with) throws IOException {
        String name = binding.input();
        Map<String, Spread> spreads = new HashMap<>();
        values.forEach(v -> spreads.put(v, new Spread()));
        ModelProto.Builder b = model.toBuilder();
        Set<String> there = new GraphIndex(model.getGraph()).outputs;
        values.stream()
                .filter(v -> !there.contains(v) && !v.equals(name))
                .forEach(v -> b.getGraphBuilder()
                        .addOutput(ValueInfoProto.newBuilder()
                                .setName(v)
                                .setType(TypeProto.newBuilder()
                                        .setTensorType(
                                                TypeProto.Tensor.newBuilder().setElemType(DataType.FLOAT_VALUE)))));
        List<byte[]> pixels = with.images().stream()
                .map(i -> binding.preprocessing().apply(i).rgb())
                .toList();
        try (OwnedFolder folder = OwnedFolder.create("calibration");
                OrtSession session = session(b.build(), folder.path(), with.runtime())) {
            run(session, binding, spreads, pixels, true);
            if (with.method() != CalibrationMethod.MIN_MAX) {
                run(session, binding, spreads, pixels, false);
            }
        } catch (OrtException e) {
            throw new IllegalStateException("ONNX Runtime failed on the calibration images: " + e.getMessage(), e);
        }
        Map<String, Range> ranges = new HashMap<>();
        spreads.forEach((v, s) -> ranges.put(v, s.range(with.method())));
        return ranges;
    }

    private static OrtSession session(ModelProto model, Path folder, RuntimeSettings runtime)
            throws OrtException, IOException {
        Path file = folder.resolve("model.onnx");
        ModelFile.write(file, model, ModelFile.LIMIT);
        NativeRuntime.load();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            runtime.apply(options, model);
            return OrtEnvironment.getEnvironment().createSession(file.toString(), options);
        }
    }

    private static void run(
            OrtSession session, GraphBinding binding, Map<String, Spread> spreads, List<byte[]> pixels, boolean first)
            throws OrtException {
        String name = binding.input();
        Set<String> wanted = new HashSet<>(spreads.keySet());
        wanted.remove(name);
        ImageInput input = new ImageInput(binding);
        // One image at a time unless the file fixes the batch size, because all values of a batch must fit into memory.
        int batch = Math.max(1, binding.batch());
        ByteBuffer buffer = input.buffer(batch);
        for (int from = 0; from < pixels.size(); from += batch) {
            buffer.clear();
            for (int i = from; i < from + batch; i++) {
                // Fill up an incomplete last batch with the first images.
                input.fill(ByteBuffer.wrap(pixels.get(i % pixels.size())), buffer);
            }
            try (OnnxTensor in = input.tensor(buffer.flip(), batch)) {
                if (spreads.containsKey(name)) {
                    add(spreads.get(name), in, name, first);
                }
                // Copies one tensor at a time out of native memory.
                try (OrtSession.Result out = session.run(Map.of(name, in), wanted)) {
                    for (Map.Entry<String, OnnxValue> e : out) {
                        add(spreads.get(e.getKey()), (OnnxTensor) e.getValue(), e.getKey(), first);
                    }
                }
            }
        }
    }

    private static void add(Spread spread, OnnxTensor values, String name, boolean first) {
        if (first) {
            spread.extremes(values.getFloatBuffer(), name);
        } else if (spread.max > spread.min) {
            spread.count(values.getFloatBuffer());
        }
    }
}
