package io.github.simclr4j.onnx.runtime;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.file.EncoderMetadata;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.file.ModelFile;
import io.github.simclr4j.onnx.internal.NativeRuntime;
import io.github.simclr4j.onnx.file.RandomOperators;
import io.github.simclr4j.onnx.internal.OneLine;
import io.github.simclr4j.onnx.internal.TensorTypes;
import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.network.EncoderFamilies;
import io.github.simclr4j.onnx.runtime.EncoderSettings.Value;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.logging.Logger;

/**
 * An encoder file, open in ONNX Runtime: one of ours, or any graph that takes images and gives vectors (see
 * {@link EncoderSettings} for what one may have to say of it). The file is checked before native code sees it, and an image of
 * zeros has gone through it when {@code open} returns.
 *
 * <p>{@link #embed} may be called by several threads at once: they share the session, each takes a pair of direct buffers
 * that the instance keeps for the next call. {@link #close} waits until they are done. The instance owns its native session
 * and frees it on {@link #close}.
 *
 * @since 0.1.0
 */
public final class OnnxEncoder implements AutoCloseable {
    private static final Logger LOGGER = Logger.getLogger(OnnxEncoder.class.getName());
    /** Heap that rewriting a file takes, in sizes of the file: it, its model, the new weights, and the new file. */
    private static final long WINOGRAD_HEAP = 12;

    private final String name;
    private final OrtSession session;
    private final GraphBinding binding;
    private final EmbeddingOutputs outputs;
    private final int batch;
    private final boolean fixedBatch;
    private final boolean givenBatch;
    private final Map<String, String> metadata;
    private final long parameters;
    private final String sha256;
    private final EncoderSettings settings;
    private final ImageInput input;
    private final BatchBuffers buffers;
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private boolean closed;

    private OnnxEncoder(String name, OrtSession session, GraphBinding binding, ImageInput input, EmbeddingOutputs outputs, int batch, boolean fixedBatch,
            boolean givenBatch, Map<String, String> metadata, long parameters, String sha256, EncoderSettings settings) {
        this.name = name;
        this.session = session;
        this.binding = binding;
        this.input = input;
        this.outputs = outputs;
        this.batch = batch;
        this.fixedBatch = fixedBatch;
        this.givenBatch = givenBatch;
        this.metadata = metadata;
        this.parameters = parameters;
        this.sha256 = sha256;
        this.settings = settings;
        buffers = new BatchBuffers(input, outputs, batch);
    }

    /**
     * Opens a file with as many threads as ONNX Runtime likes; see {@link #open(Path, EncoderSettings, RuntimeSettings)}.
     *
     * @throws InvalidEncoderException if it is not ONNX or no image encoder
     * @throws IOException if it can't be read
     */
    public static OnnxEncoder open(Path file) throws IOException {
        return open(file, 0);
    }

    /**
     * Opens a file that says all that is needed.
     *
     * @param file the encoder
     * @param threads threads of one call, 0 for as many as ONNX Runtime likes
     * @throws InvalidEncoderException if it is not ONNX or no image encoder
     * @throws IOException if it can't be read
     */
    public static OnnxEncoder open(Path file, int threads) throws IOException {
        return open(file, EncoderSettings.none(), RuntimeSettings.DEFAULT.withThreads(threads));
    }

    /**
     * Opens a file. A setting that is not given is taken from {@code preprocessor_config.json}, timm's {@code config.json} or
     * {@code open_clip_config.json} in the same folder (or in the one above a folder {@code onnx}), then from the file's metadata,
     * then from the graph; {@link #settings()} says which. A file of ours needs none, and does not look beside itself.
     *
     * @param file the encoder; external data must be in its folder
     * @param given what the caller knows of it
     * @param runtime how it is run
     * @throws InvalidEncoderException if it is not ONNX or no image encoder, or the settings contradict it
     * @throws IOException if it can't be read
     * @throws IllegalArgumentException if a batch was asked for that is too large, or ONNX Runtime refuses a session option
     * @throws IllegalStateException if the execution provider is not there
     */
    public static OnnxEncoder open(Path file, EncoderSettings given, RuntimeSettings runtime) throws IOException {
        byte[] bytes = ModelFile.bytes(file);
        Path folder = file.toAbsolutePath().getParent();
        return open(bytes, file.toString(), folder, given, runtime);
    }

    /**
     * Opens the bytes of a file that says all that is needed and has no external data.
     *
     * @param bytes the file's content
     * @param name what errors call it
     * @param threads threads of one call, 0 for as many as ONNX Runtime likes
     * @throws InvalidEncoderException if it is not ONNX or no image encoder
     */
    public static OnnxEncoder open(byte[] bytes, String name, int threads) throws InvalidEncoderException {
        return open(bytes, name, EncoderSettings.none(), RuntimeSettings.DEFAULT.withThreads(threads));
    }

    /**
     * Opens the bytes of a file without external data; see {@link #open(Path, EncoderSettings, RuntimeSettings)}.
     *
     * @param bytes the file's content
     * @param name what errors call it
     * @param given what the caller knows of it
     * @param runtime how it is run
     * @throws InvalidEncoderException if it is not ONNX or no image encoder, or the settings contradict it
     * @throws IllegalArgumentException if a batch was asked for that is too large, or ONNX Runtime refuses a session option
     * @throws IllegalStateException if the execution provider is not there
     */
    public static OnnxEncoder open(byte[] bytes, String name, EncoderSettings given, RuntimeSettings runtime)
            throws InvalidEncoderException {
        return open(bytes, name, null, given, runtime);
    }

    private static OnnxEncoder open(byte[] bytes, String name, Path folder, EncoderSettings given, RuntimeSettings runtime)
            throws InvalidEncoderException {
        ModelFile.Checked checked = ModelFile.check(bytes, name, folder);
        ModelProto model = checked.model();
        Map<String, String> metadata = EncoderMetadata.of(model);
        GraphBinding binding = GraphBinding.of(model, given, folder, name);
        RandomOperators.refuse(model, binding.outputs(), name);
        ImageInput input = new ImageInput(binding);
        ModelProto run = model;
        if (!binding.added().isEmpty()) {
            ModelProto.Builder more = model.toBuilder();
            binding.added().forEach(o -> more.getGraphBuilder().addOutput(ValueInfoProto.newBuilder().setName(o)));
            run = more.build();
        }
        if (runtime.fewerMultiplications() && checked.external().isEmpty()) {
            long heap = WINOGRAD_HEAP * bytes.length;
            if (heap <= Runtime.getRuntime().maxMemory()) {
                run = Winograd.rewrite(run, binding);
            } else {
                LOGGER.info(name + ": its 3x3 convolutions are not rewritten for fewer multiplications, which takes a heap of -Xmx"
                        + ((heap >> 20) + 1) + "m");
            }
        }
        byte[] graph = run == model ? bytes : run.toByteArray();
        NativeRuntime.load();
        OrtSession session = null;
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            runtime.apply(options, model);
            if (!checked.external().isEmpty()) {
                options.addConfigEntry("session.model_external_initializers_file_folder_path", folder.toRealPath().toString());
            }
            session = OrtEnvironment.getEnvironment().createSession(graph, options);
            TrialRun trial = TrialRun.of(session, binding, input, name);
            if (given.values().containsKey("pooling")) {
                trial.refuseIdle(binding.pooling(), name);
            }
            EmbeddingOutputs outputs = trial.outputs();
            int wanted = runtime.batch() > 0 ? runtime.batch() : BatchSize.of(binding, input, runtime, outputs);
            int batch = trial.fixedBatch() > 0 ? trial.fixedBatch() : wanted;
            int most = Integer.MAX_VALUE / Math.max(input.bytes(), outputs.bytes());
            if (batch > most) {
                throw new IllegalArgumentException(name + ": expected a batch of at most " + most
                        + " images, more take over 2 GB, found " + batch);
            }
            Map<String, Value> settings = new LinkedHashMap<>(binding.settings().values());
            if (outputs.pooling() != null) {
                settings.putIfAbsent("pooling", outputs.pooling());
            }
            long parameters = model.getGraph().getInitializerList().stream().mapToLong(TensorTypes::count).sum();
            OnnxEncoder encoder = new OnnxEncoder(name, session, binding, input, outputs, batch, trial.fixedBatch() > 0,
                    runtime.batch() > 0, Collections.unmodifiableMap(metadata), parameters, ModelFile.sha256(bytes, checked.external()),
                    new EncoderSettings(settings));
            encoder.warn();
            session = null;
            return encoder;
        } catch (OrtException | IOException e) {
            if (e instanceof InvalidEncoderException invalid) {
                throw invalid;
            }
            throw new InvalidEncoderException(name + ": ONNX Runtime can't load it: " + OneLine.of(e.getMessage()), e);
        } finally {
            close(session);
        }
    }

    /** Silently wrong numbers are worse than a line too much. */
    private void warn() {
        List<String> assumed = List.of("mean", "std").stream()
                .filter(k -> settings.values().containsKey(k) && settings.values().get(k).source().equals("default")).toList();
        if (!assumed.isEmpty()) {
            LOGGER.warning(name + " does not say its " + String.join(" and ", assumed)
                    + ": values from 0 to 1 are assumed; give them if it was trained with others");
        }
    }

    /**
     * SHA-256 of an encoder file, and of its external data if it has any, in hexadecimal: what {@link #sha256()} says once it is
     * open.
     *
     * @throws InvalidEncoderException if it is not ONNX, or refers to data that is not in its folder
     * @throws IOException if it can't be read
     */
    public static String sha256(Path file) throws IOException {
        byte[] bytes = ModelFile.bytes(file);
        return ModelFile.sha256(bytes, ModelFile.check(bytes, file.toString(), file.toAbsolutePath().getParent()).external());
    }

    /**
     * The embeddings of some images of any size, as [images, dimension]. They are cropped and resized here, on the calling
     * thread, and go through the graph {@link #batch()} at a time.
     *
     * @throws InvalidFeaturesException if a feature is not finite
     * @throws IllegalStateException if the encoder is closed, or ONNX Runtime fails
     */
    public float[][] embed(List<RgbImage> images) {
        float[][] embeddings = new float[images.size()][];
        return locked(slot -> {
            for (int from = 0; from < embeddings.length; from += batch) {
                int n = Math.min(batch, embeddings.length - from);
                slot.in().clear();
                for (RgbImage image : images.subList(from, from + n)) {
                    byte[] rgb = binding.preprocessing().apply(image).rgb();
                    input.fill(ByteBuffer.wrap(rgb), slot.in());
                }
                run(slot.in(), slot.out(), n, embeddings, from);
            }
            return embeddings;
        });
    }

    /**
     * The embeddings of images that went through {@link Preprocessing#apply} before, as [images, dimension].
     *
     * @param pixels bytes [images, height, width, 3], RGB, from the buffer's position to its limit; both stay as they are. If the
     *     buffer is direct and the graph takes just these bytes, ONNX Runtime reads them where they are. It must not change
     *     before the call returns.
     * @throws IllegalArgumentException if they are no whole number of images
     * @throws InvalidFeaturesException if a feature is not finite
     * @throws IllegalStateException if the encoder is closed, or ONNX Runtime fails
     */
    public float[][] embed(ByteBuffer pixels) {
        int size = binding.preprocessing().height() * binding.preprocessing().width() * 3;
        if (pixels.remaining() % size != 0) {
            throw new IllegalArgumentException("Expected " + size + " bytes an image, found " + pixels.remaining());
        }
        float[][] embeddings = new float[pixels.remaining() / size][];
        boolean asItIs = pixels.isDirect() && input.bytesAsTheyAre();
        return locked(slot -> {
            for (int from = 0; from < embeddings.length; from += batch) {
                int n = Math.min(batch, embeddings.length - from);
                ByteBuffer part = pixels.slice(pixels.position() + from * size, n * size);
                if (asItIs && (!fixedBatch || n == batch)) {
                    run(part, slot.out(), n, embeddings, from);
                } else {
                    slot.in().clear();
                    for (int i = 0; i < n; i++) {
                        input.fill(part.slice(i * size, size), slot.in());
                    }
                    run(slot.in(), slot.out(), n, embeddings, from);
                }
            }
            return embeddings;
        });
    }

    private interface Work {
        float[][] with(BatchBuffers.Pair slot) throws OrtException;
    }

    private float[][] locked(Work work) {
        lock.readLock().lock();
        try {
            if (closed) {
                throw new IllegalStateException("The encoder is closed");
            }
            BatchBuffers.Pair pair = buffers.take();
            float[][] result = work.with(pair);
            buffers.giveBack(pair);
            return result;
        } catch (OrtException e) {
            throw new IllegalStateException("ONNX Runtime failed: " + OneLine.of(e.getMessage()), e);
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Runs the first n images of a buffer; a fixed batch is filled up with what is left in it. */
    private void run(ByteBuffer in, ByteBuffer out, int n, float[][] embeddings, int at) throws OrtException {
        int images = fixedBatch ? batch : n;
        ByteBuffer pixels = in.slice(0, images * input.bytes()).order(ByteOrder.nativeOrder());
        try (OnnxTensor tensor = input.tensor(pixels, images); EmbeddingOutputs.Batch results = outputs.batch(out, images)) {
            session.run(Map.of(binding.input(), tensor), results.tensors()).close();
            for (int i = 0; i < n; i++) {
                embeddings[at + i] = InvalidFeaturesException.check(results.read(i), at + i, name);
            }
        }
    }

    /** What is done to an image before the graph. */
    public Preprocessing preprocessing() {
        return binding.preprocessing();
    }

    /** Every setting that was used, each with where it came from: the caller, a file, the metadata, the graph or a default. */
    public EncoderSettings settings() {
        return settings;
    }

    /** Images that go through the graph at once. */
    public int batch() {
        return batch;
    }

    /** Whether the file fixes the batch: the graph then computes all of it, however few images there are. */
    boolean hasFixedBatch() {
        return fixedBatch;
    }

    /** Whether the file or the caller decided the batch, not this class. */
    boolean batchIsGiven() {
        return givenBatch || fixedBatch;
    }

    /** Length of an embedding. */
    public int dimension() {
        return outputs.dimension();
    }

    /** What the file says of itself: architecture, training, data, version. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** The architecture that the metadata names, if it names one. */
    public Optional<Architecture> architecture() {
        return EncoderFamilies.fromMetadata(metadata);
    }

    /** Number of values in the file's initialisers (batch norm is folded, so fewer than in training). */
    public long parameters() {
        return parameters;
    }

    /** SHA-256 of the file, and of its external data if it has any, in hexadecimal. */
    public String sha256() {
        return sha256;
    }

    /** Waits for running calls and frees the session; a second call does nothing. */
    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                buffers.clear();
                close(session);
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    private static void close(OrtSession session) {
        if (session == null) {
            return;
        }
        try {
            session.close();
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }
}
