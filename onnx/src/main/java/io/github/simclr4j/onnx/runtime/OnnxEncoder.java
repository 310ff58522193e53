// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.file.EncoderMetadata;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.file.ModelFile;
import io.github.simclr4j.onnx.file.RandomOperators;
import io.github.simclr4j.onnx.internal.NativeRuntime;
import io.github.simclr4j.onnx.internal.OneLine;
import io.github.simclr4j.onnx.internal.TensorTypes;
import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.network.EncoderFamilies;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.logging.Logger;

/**
 * An image encoder in an ONNX file, opened in ONNX Runtime. It may be an encoder trained by simclr4j, or any graph that maps images to
 * vectors; see {@link EncoderSettings} for the settings that such a graph may need. {@code open} validates the file before native code
 * reads it, and then runs the encoder once on images of zeros.
 *
 * <p><b>Threads.</b> {@link #embed} is thread-safe. The calls share the session, and each uses a pair of direct buffers that is kept for
 * later calls. {@link #close} waits until running calls are done.
 *
 * <p><b>Native memory.</b> The encoder owns its native session. {@link #close} frees it.
 *
 * @since 0.1.0
 */
public final class OnnxEncoder implements AutoCloseable {
    private static final Logger LOGGER = Logger.getLogger(OnnxEncoder.class.getName());
    /** Heap for rewriting a file with Winograd's algorithm, in multiples of the file's size. */
    private static final long WINOGRAD_HEAP = 12;

    private final String name;
    private final OrtSession session;
    private final GraphBinding binding;
    private final EmbeddingOutputs outputs;
    private final int batch;
    private final boolean fixedBatch;
    private final boolean givenBatch;
    private final boolean winograd;
    private final Map<String, String> metadata;
    private final long parameters;
    private final String sha256;
    private final EncoderSettings settings;
    private final ImageInput input;
    private final BatchBuffers buffers;
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private boolean closed;

    private OnnxEncoder(
            String name,
            OrtSession session,
            GraphBinding binding,
            ImageInput input,
            EmbeddingOutputs outputs,
            int batch,
            boolean fixedBatch,
            boolean givenBatch,
            boolean winograd,
            Map<String, String> metadata,
            long parameters,
            String sha256,
            EncoderSettings settings) {
        this.name = name;
        this.session = session;
        this.binding = binding;
        this.input = input;
        this.outputs = outputs;
        this.batch = batch;
        this.fixedBatch = fixedBatch;
        this.givenBatch = givenBatch;
        this.winograd = winograd;
        this.metadata = metadata;
        this.parameters = parameters;
        this.sha256 = sha256;
        this.settings = settings;
        buffers = new BatchBuffers(input, outputs, batch);
    }

    /**
     * Opens an encoder with the number of threads that ONNX Runtime chooses; see {@link #open(Path, EncoderSettings, RuntimeSettings)}.
     *
     * @param file the encoder
     * @throws InvalidEncoderException if the file is not an ONNX file, or not an image encoder
     * @throws IOException if the file can't be read
     */
    public static OnnxEncoder open(Path file) throws IOException {
        return open(file, 0);
    }

    /**
     * Opens an encoder without further settings.
     *
     * @param file the encoder
     * @param threads threads per call; 0 lets ONNX Runtime choose
     * @throws InvalidEncoderException if the file is not an ONNX file, or not an image encoder
     * @throws IOException if the file can't be read
     */
    public static OnnxEncoder open(Path file, int threads) throws IOException {
        return open(file, EncoderSettings.none(), RuntimeSettings.DEFAULT.withThreads(threads));
    }

    /**
     * Opens an encoder from a file. A setting that is not given is taken from the first of these that has it:
     *
     * <ol>
     *   <li>{@code preprocessor_config.json}, timm's {@code config.json} or {@code open_clip_config.json} in the file's folder, or in
     *       the parent folder if the file's folder is named {@code onnx};
     *   <li>the metadata of the file;
     *   <li>the graph.
     * </ol>
     *
     * <p>{@link #settings()} reports the source of each setting. A file that SimCLR4J exported holds all its settings, so that no
     * configuration file is looked for.
     *
     * @param file the encoder; external data must be in its folder
     * @param given settings that override those of the file
     * @param runtime the threads, execution provider and session options of ONNX Runtime
     * @throws InvalidEncoderException if the file is not an ONNX file, if it is not an image encoder, or if the settings contradict it
     * @throws IOException if the file can't be read
     * @throws IllegalArgumentException if the batch size is too large, or if ONNX Runtime rejects a session option
     * @throws IllegalStateException if the execution provider is not available
     */
    public static OnnxEncoder open(Path file, EncoderSettings given, RuntimeSettings runtime) throws IOException {
        byte[] bytes = ModelFile.bytes(file);
        Path folder = file.toAbsolutePath().getParent();
        return open(bytes, file.toString(), folder, given, runtime);
    }

    /**
     * Opens an encoder in memory without further settings and without external data.
     *
     * @param bytes the bytes of the file
     * @param name the encoder's name in messages
     * @param threads threads per call; 0 lets ONNX Runtime choose
     * @throws InvalidEncoderException if the bytes are not an ONNX file, or not an image encoder
     */
    public static OnnxEncoder open(byte[] bytes, String name, int threads) throws InvalidEncoderException {
        return open(bytes, name, EncoderSettings.none(), RuntimeSettings.DEFAULT.withThreads(threads));
    }

    /**
     * Opens an encoder in memory without external data; see {@link #open(Path, EncoderSettings, RuntimeSettings)}.
     *
     * @param bytes the bytes of the file
     * @param name the encoder's name in messages
     * @param given settings that override those of the file
     * @param runtime the threads, execution provider and session options of ONNX Runtime
     * @throws InvalidEncoderException if the bytes are not an ONNX file, if it is not an image encoder, or if the settings contradict it
     * @throws IllegalArgumentException if the batch size is too large, or if ONNX Runtime rejects a session option
     * @throws IllegalStateException if the execution provider is not available
     */
    public static OnnxEncoder open(byte[] bytes, String name, EncoderSettings given, RuntimeSettings runtime)
            throws InvalidEncoderException {
        return open(bytes, name, null, given, runtime);
    }

    /**
     * Opens an encoder in memory whose external data and configuration files are in a folder; see
     * {@link #open(Path, EncoderSettings, RuntimeSettings)}.
     *
     * @param bytes the bytes of the file
     * @param name the encoder's name in messages
     * @param folder the folder, or null if there is none
     * @param given settings that override those of the file
     * @param runtime the threads, execution provider and session options of ONNX Runtime
     * @throws InvalidEncoderException if the bytes are not an ONNX file, if it is not an image encoder, or if the settings contradict it
     */
    public static OnnxEncoder open(
            byte[] bytes, String name, Path folder, EncoderSettings given, RuntimeSettings runtime)
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
            binding.added()
                    .forEach(o -> more.getGraphBuilder()
                            .addOutput(ValueInfoProto.newBuilder().setName(o)));
            run = more.build();
        }
        boolean winograd = false;
        if (runtime.fewerMultiplications() && checked.external().isEmpty()) {
            long heap = WINOGRAD_HEAP * bytes.length;
            if (heap <= Runtime.getRuntime().maxMemory()) {
                ModelProto direct = run;
                run = Winograd.rewrite(direct, binding);
                winograd = run != direct;
            } else {
                LOGGER.info(
                        name + ": its 3x3 convolutions do not use Winograd's algorithm, which would need a heap of -Xmx"
                                + ((heap >> 20) + 1) + "m");
            }
        }
        byte[] graph = run == model ? bytes : run.toByteArray();
        NativeRuntime.load();
        OrtSession session = null;
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            runtime.apply(options, model);
            if (!checked.external().isEmpty()) {
                options.addConfigEntry(
                        "session.model_external_initializers_file_folder_path",
                        folder.toRealPath().toString());
            }
            session = OrtEnvironment.getEnvironment().createSession(graph, options);
            TrialRun trial = TrialRun.of(session, binding, input, name);
            EncoderSettings settings = trial.settings(binding, given, name);
            EmbeddingOutputs outputs = trial.outputs();
            int wanted = runtime.batch() > 0 ? runtime.batch() : BatchSize.of(binding, input, runtime, outputs);
            int batch = trial.fixedBatch() > 0 ? trial.fixedBatch() : wanted;
            int most = Integer.MAX_VALUE / Math.max(input.bytes(), outputs.bytes());
            if (batch > most) {
                throw new IllegalArgumentException(name + ": expected a batch of at most " + most
                        + " images, more take over 2 GB, found " + batch);
            }
            long parameters = model.getGraph().getInitializerList().stream()
                    .mapToLong(TensorTypes::count)
                    .sum();
            OnnxEncoder encoder = new OnnxEncoder(
                    name,
                    session,
                    binding,
                    input,
                    outputs,
                    batch,
                    trial.fixedBatch() > 0,
                    runtime.batch() > 0,
                    winograd,
                    Collections.unmodifiableMap(metadata),
                    parameters,
                    ModelFile.sha256(bytes, checked.external()),
                    settings);
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

    /** Warns about an unknown normalisation, since silently wrong features are worse than a superfluous warning. */
    private void warn() {
        List<String> assumed = List.of("mean", "std").stream()
                .filter(k -> settings.values().containsKey(k)
                        && settings.values().get(k).source().equals("default"))
                .toList();
        if (!assumed.isEmpty()) {
            LOGGER.warning(name + " does not state its " + String.join(" and ", assumed)
                    + ": values from 0 to 1 are assumed; give these settings if it was trained with others");
        }
    }

    /**
     * Returns the SHA-256 of an encoder file and its external data without opening it. It equals {@link #sha256()} of the opened encoder.
     *
     * @param file the encoder
     * @return the hash in hexadecimal
     * @throws InvalidEncoderException if the file is not an ONNX file, or refers to data outside its folder
     * @throws IOException if the file can't be read
     */
    public static String sha256(Path file) throws IOException {
        byte[] bytes = ModelFile.bytes(file);
        return ModelFile.sha256(
                bytes,
                ModelFile.check(bytes, file.toString(), file.toAbsolutePath().getParent())
                        .external());
    }

    /**
     * Preprocesses and encodes images, in batches of {@link #batch()}. Preprocessing runs in the calling thread.
     *
     * @param images images of any size
     * @return the embeddings, [images, dimension]
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
     * Encodes images that were preprocessed by {@link Preprocessing#apply}.
     *
     * @param pixels RGB bytes, [images, height, width, 3], from the buffer's position to its limit, which do not change. If the buffer is
     *     direct and the graph takes these bytes unchanged, ONNX Runtime reads them without copying. The content must not be modified
     *     before the call returns
     * @return the embeddings, [images, dimension]
     * @throws IllegalArgumentException if the number of bytes is not a multiple of the size of an image
     * @throws InvalidFeaturesException if a feature is not finite
     * @throws IllegalStateException if the encoder is closed, or ONNX Runtime fails
     */
    public float[][] embed(ByteBuffer pixels) {
        int size = binding.preprocessing().height() * binding.preprocessing().width() * 3;
        if (pixels.remaining() % size != 0) {
            throw new IllegalArgumentException("Expected " + size + " bytes per image, found " + pixels.remaining());
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

    /** Runs the encoder on the first n images of a buffer. A fixed batch is filled up with whatever the buffer contains. */
    private void run(ByteBuffer in, ByteBuffer out, int n, float[][] embeddings, int at) throws OrtException {
        int images = fixedBatch ? batch : n;
        ByteBuffer pixels = in.slice(0, images * input.bytes()).order(ByteOrder.nativeOrder());
        try (OnnxTensor tensor = input.tensor(pixels, images);
                EmbeddingOutputs.Batch results = outputs.batch(out, images)) {
            session.run(Map.of(binding.input(), tensor), results.tensors()).close();
            for (int i = 0; i < n; i++) {
                embeddings[at + i] = InvalidFeaturesException.check(results.read(i), at + i, name);
            }
        }
    }

    /** Returns the preprocessing of images before the graph. */
    public Preprocessing preprocessing() {
        return binding.preprocessing();
    }

    /** Returns all settings that are used, each with its source: the caller, a file, the metadata, the graph or a default. */
    public EncoderSettings settings() {
        return settings;
    }

    /** Returns the maximum number of images per run of the graph. */
    public int batch() {
        return batch;
    }

    /** Returns whether the file fixes the batch size, so that the graph always computes a full batch. */
    boolean hasFixedBatch() {
        return fixedBatch;
    }

    /** Returns whether the file or the caller determined the batch size. */
    boolean batchIsGiven() {
        return givenBatch || fixedBatch;
    }

    /**
     * Returns whether 3x3 convolutions use Winograd's algorithm, which changes embeddings by rounding errors. The same file and settings
     * may be opened with it in one process and without it in another: see {@link RuntimeSettings#winograd()}.
     */
    public boolean usesWinograd() {
        return winograd;
    }

    /** Returns the length of an embedding. */
    public int dimension() {
        return outputs.dimension();
    }

    /** Returns the file's metadata, such as the architecture, training, data and version. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** Returns the architecture that the metadata name, if any. */
    public Optional<Architecture> architecture() {
        return EncoderFamilies.fromMetadata(metadata);
    }

    /** Returns the number of values in the file's initialisers, which is less than in training if batch norm is folded. */
    public long parameters() {
        return parameters;
    }

    /** Returns the SHA-256 of the file and its external data, in hexadecimal. */
    public String sha256() {
        return sha256;
    }

    /** Waits for running calls, and frees the session. A second call does nothing. */
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
