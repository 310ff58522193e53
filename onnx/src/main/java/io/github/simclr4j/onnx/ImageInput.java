package io.github.simclr4j.onnx;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The image input of a graph, and batches for it. */
final class ImageInput {
    private final String name;
    private final boolean floats;
    private final boolean channelsFirst;
    private final int size;
    private final float[] mean;
    private final float[] deviation;

    /**
     * Reads the input's type and shape.
     *
     * @param mean subtracted from values in [0, 1], three, for a float32 input; null for what the metadata says
     * @param deviation what the difference is divided by, likewise
     * @throws IllegalArgumentException if the input is no image, or float32 and nothing tells its mean and deviation
     */
    ImageInput(ModelProto model, float[] mean, float[] deviation) {
        GraphIndex index = new GraphIndex(model.getGraph());
        List<ValueInfoProto> inputs = model.getGraph().getInputList().stream()
                .filter(i -> !index.initialisers.containsKey(i.getName())).toList();
        Map<String, String> metadata = model.getMetadataPropsList().stream()
                .collect(Collectors.toMap(e -> e.getKey(), e -> e.getValue(), (a, b) -> a));
        List<TensorShapeProto.Dimension> dims = inputs.size() != 1 ? List.of()
                : inputs.get(0).getType().getTensorType().getShape().getDimList();
        int type = inputs.size() != 1 ? 0 : inputs.get(0).getType().getTensorType().getElemType();
        boolean first = dims.size() == 4 && dims.get(1).getDimValue() == 3;
        if (dims.size() != 4 || !first && dims.get(3).getDimValue() != 3
                || type != DataType.FLOAT_VALUE && type != DataType.UINT8_VALUE) {
            throw new IllegalArgumentException("Expected one image input, uint8 or float32, [batch, height, width, 3] or"
                    + " [batch, 3, height, width], found " + inputs);
        }
        name = inputs.get(0).getName();
        floats = type == DataType.FLOAT_VALUE;
        channelsFirst = first;
        long side = dims.get(2).getDimValue();
        if (side < 1 && !metadata.containsKey("image_size")) {
            throw new IllegalArgumentException("The size of the image input is not fixed: expected the metadata image_size");
        }
        size = side > 0 ? Math.toIntExact(side) : Integer.parseInt(metadata.get("image_size"));
        this.mean = mean != null ? mean : parse(metadata.get("preprocessing.mean"));
        this.deviation = deviation != null ? deviation : parse(metadata.get("preprocessing.std"));
        if (floats && (this.mean == null || this.deviation == null)) {
            throw new IllegalArgumentException("The encoder takes float32 images and does not say how they are normalised:"
                    + " give the mean and the deviation");
        }
    }

    private static float[] parse(String list) {
        if (list == null) {
            return null;
        }
        String[] parts = list.split(",");
        float[] values = new float[3];
        for (int i = 0; i < 3; i++) {
            values[i] = Float.parseFloat(parts[parts.length == 3 ? i : 0].strip());
        }
        return values;
    }

    /** Name of the input. */
    String name() {
        return name;
    }

    /** Batches of images, resized as for an encoder; small enough for all activations to fit into memory. */
    Calibration.Batches batches(List<RgbImage> images) {
        Preprocessing resize = new Preprocessing(size);
        int batch = Math.max(1, Math.min(64, 64 * 32 * 32 / (size * size)));
        List<byte[]> pixels = images.stream().map(i -> resize.apply(i).rgb()).toList();
        return new Calibration.Batches() {
            @Override
            public int count() {
                return (pixels.size() + batch - 1) / batch;
            }

            @Override
            public OnnxTensor batch(int i) throws OrtException {
                return tensor(pixels.subList(i * batch, Math.min(pixels.size(), (i + 1) * batch)));
            }
        };
    }

    private OnnxTensor tensor(List<byte[]> pixels) throws OrtException {
        long[] shape = channelsFirst ? new long[] {pixels.size(), 3, size, size} : new long[] {pixels.size(), size, size, 3};
        int each = 3 * size * size;
        ByteBuffer b = ByteBuffer.allocateDirect(pixels.size() * each * (floats ? 4 : 1)).order(ByteOrder.nativeOrder());
        FloatBuffer f = b.asFloatBuffer();
        for (byte[] image : pixels) {
            for (int i = 0; i < each; i++) {
                int c = channelsFirst ? i / (size * size) : i % 3;
                byte value = channelsFirst ? image[i % (size * size) * 3 + c] : image[i];
                if (floats) {
                    f.put(((value & 255) / 255f - mean[c]) / deviation[c]);
                } else {
                    b.put(value);
                }
            }
        }
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        return floats ? OnnxTensor.createTensor(environment, f.flip(), shape)
                : OnnxTensor.createTensor(environment, b.flip(), shape, OnnxJavaType.UINT8);
    }
}
