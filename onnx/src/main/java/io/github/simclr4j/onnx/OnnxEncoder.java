package io.github.simclr4j.onnx;

import ai.onnx.proto.OnnxMl;
import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * An encoder file, open in ONNX Runtime. {@link #embed} may be called by several threads at once; {@link #close} must
 * not run while one of them is inside. The instance owns its native session and frees it on {@link #close}.
 */
public final class OnnxEncoder implements AutoCloseable {
    /** Name of the input. */
    public static final String INPUT = "image";
    /** Name of the output. */
    public static final String OUTPUT = "embedding";

    private final OrtSession session;
    private final Preprocessing preprocessing;
    private final int dimension;
    private final Map<String, String> metadata;
    private final long parameters;
    private final String sha256;
    private volatile boolean closed;

    private OnnxEncoder(
            OrtSession session,
            Preprocessing preprocessing,
            int dimension,
            Map<String, String> metadata,
            long parameters,
            String sha256) {
        this.session = session;
        this.preprocessing = preprocessing;
        this.dimension = dimension;
        this.metadata = metadata;
        this.parameters = parameters;
        this.sha256 = sha256;
    }

    /** Opens a file with as many threads as ONNX Runtime likes; see {@link #open(byte[], String, int)}. */
    public static OnnxEncoder open(Path file) throws IOException {
        return open(file, 0);
    }

    /**
     * Opens a file.
     *
     * @param file the encoder
     * @param threads threads of one call, 0 for as many as ONNX Runtime likes
     * @throws InvalidEncoderException if it is not ONNX or no image encoder
     * @throws IOException if it can't be read
     */
    public static OnnxEncoder open(Path file, int threads) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + " is not a file: name an encoder, such as one that pretrain wrote");
        }
        return open(Files.readAllBytes(file), file.toString(), threads);
    }

    /**
     * Opens the bytes of a file.
     *
     * @param bytes the file's content
     * @param name what errors call it
     * @param threads threads of one call, 0 for as many as ONNX Runtime likes
     * @throws InvalidEncoderException if it is not ONNX or no image encoder
     */
    public static OnnxEncoder open(byte[] bytes, String name, int threads) throws InvalidEncoderException {
        OnnxMl.ModelProto model = parse(bytes, name);
        Map<String, String> metadata = new TreeMap<>();
        model.getMetadataPropsList().forEach(e -> metadata.put(e.getKey(), e.getValue()));
        long parameters = model.getGraph().getInitializerList().stream()
                .mapToLong(t -> t.getDimsList().stream().reduce(1L, (a, b) -> a * b))
                .sum();
        OrtSession session = null;
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            if (threads > 0) {
                options.setIntraOpNumThreads(threads);
            }
            session = OrtEnvironment.getEnvironment().createSession(bytes, options);
            long[] in = shape(session.getInputInfo(), INPUT, OnnxJavaType.UINT8, name);
            long[] out = shape(session.getOutputInfo(), OUTPUT, OnnxJavaType.FLOAT, name);
            boolean image = in.length == 4 && in[0] == -1 && in[1] == in[2] && in[1] >= 8 && in[3] == 3;
            if (!image || out.length != 2 || out[1] < 1) {
                throw new InvalidEncoderException(name + " is no image encoder of ours: expected " + INPUT
                        + " [batch, size, size, 3] and " + OUTPUT + " [batch, dimension], found "
                        + Arrays.toString(in) + " and " + Arrays.toString(out));
            }
            String rule = metadata.get("resize");
            if (rule != null && !rule.equals(Preprocessing.RULE)) {
                throw new InvalidEncoderException(name + " asks for the resize rule " + rule
                        + ", this version has " + Preprocessing.RULE);
            }
            OnnxEncoder encoder = new OnnxEncoder(
                    session, new Preprocessing((int) in[1]), (int) out[1],
                    Collections.unmodifiableMap(metadata), parameters, sha256(bytes));
            session = null;
            return encoder;
        } catch (OrtException | IllegalArgumentException e) {
            throw new InvalidEncoderException(name + ": ONNX Runtime can't load it: " + e.getMessage(), e);
        } finally {
            if (session != null) {
                try {
                    session.close();
                } catch (OrtException e) {
                    throw new IllegalStateException(e);
                }
            }
        }
    }

    private static OnnxMl.ModelProto parse(byte[] bytes, String name) throws InvalidEncoderException {
        OnnxMl.ModelProto model;
        try {
            model = OnnxMl.ModelProto.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new InvalidEncoderException(name + " is not an ONNX file, or a damaged one: " + e.getMessage(), e);
        }
        if (model.getIrVersion() == 0 || model.getGraph().getNodeCount() == 0) {
            throw new InvalidEncoderException(name + " is not an ONNX file: it holds no graph");
        }
        return model;
    }

    private static long[] shape(Map<String, NodeInfo> values, String value, OnnxJavaType type, String name)
            throws InvalidEncoderException {
        NodeInfo info = values.get(value);
        if (values.size() != 1 || info == null || !(info.getInfo() instanceof TensorInfo tensor) || tensor.type != type) {
            throw new InvalidEncoderException(name + " is no image encoder of ours: expected one tensor " + value
                    + " of type " + type + ", found " + values.values());
        }
        return tensor.getShape();
    }

    /** SHA-256 of some bytes, in hexadecimal. */
    public static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * The embeddings of some images of any size, as [images, dimension].
     *
     * @throws IllegalStateException if the encoder is closed, or ONNX Runtime fails
     */
    public float[][] embed(List<RgbImage> images) {
        int size = preprocessing.size();
        ByteBuffer pixels = ByteBuffer.allocateDirect(Math.multiplyExact(images.size(), size * size * 3));
        for (RgbImage image : images) {
            pixels.put(preprocessing.apply(image).rgb());
        }
        return embed(pixels.flip());
    }

    /**
     * The embeddings of images that went through {@link Preprocessing#apply} before, perhaps in other threads, as
     * [images, dimension].
     *
     * @param pixels a direct buffer of bytes [images, size, size, 3], RGB, from its position to its limit
     * @throws IllegalArgumentException if they are no whole number of images
     * @throws IllegalStateException if the encoder is closed, or ONNX Runtime fails
     */
    public float[][] embed(ByteBuffer pixels) {
        if (closed) {
            throw new IllegalStateException("The encoder is closed");
        }
        int size = preprocessing.size();
        int images = pixels.remaining() / (size * size * 3);
        if (pixels.remaining() % (size * size * 3) != 0) {
            throw new IllegalArgumentException(
                    "Expected " + size * size * 3 + " bytes an image, found " + pixels.remaining());
        }
        if (images == 0) {
            return new float[0][];
        }
        try (OnnxTensor in = OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), pixels,
                        new long[] {images, size, size, 3}, OnnxJavaType.UINT8);
                OrtSession.Result out = session.run(Map.of(INPUT, in))) {
            return (float[][]) out.get(0).getValue();
        } catch (OrtException e) {
            throw new IllegalStateException("ONNX Runtime failed: " + e.getMessage(), e);
        }
    }

    /** What is done to an image before the graph. */
    public Preprocessing preprocessing() {
        return preprocessing;
    }

    /** Length of an embedding. */
    public int dimension() {
        return dimension;
    }

    /** What the file says of itself: architecture, training, data, version. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** The architecture that the metadata names, if it names one. */
    public Optional<ResNet> architecture() {
        try {
            return Optional.of(ResNet.of(
                    metadata.getOrDefault("architecture", ""),
                    Double.parseDouble(metadata.getOrDefault("width", "")),
                    metadata.getOrDefault("stem", "")));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** Number of values in the file's initialisers (batch norm is folded, so fewer than in training). */
    public long parameters() {
        return parameters;
    }

    /** SHA-256 of the file, in hexadecimal. */
    public String sha256() {
        return sha256;
    }

    /** Frees the session; a second call does nothing. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            session.close();
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }
}
