package io.github.simclr4j.onnx.runtime;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.file.ModelCheck;
import io.github.simclr4j.onnx.file.ModelFile;
import io.github.simclr4j.onnx.internal.Tensors;
import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.network.EncoderFamilies;
import io.github.simclr4j.onnx.runtime.EncoderSettings.Layout;
import io.github.simclr4j.onnx.runtime.EncoderSettings.Pooling;
import io.github.simclr4j.onnx.runtime.EncoderSettings.Value;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedDeque;
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
 */
public final class OnnxEncoder implements AutoCloseable {
    /** Name of the input, in a file of ours. */
    public static final String INPUT = "image";
    /** Name of the output, in a file of ours. */
    public static final String OUTPUT = "embedding";

    private static final Logger LOGGER = Logger.getLogger(OnnxEncoder.class.getName());
    private static final int MAX_DIMENSION = 1 << 20;
    private static final int BATCH_PIXELS = 8 * 224 * 224;
    /** What the buffers of a batch may take, in bytes, where the file says how large it is. */
    private static final long MAX_BUFFER = 1L << 29;
    private static final int BATCH_BYTES = 1 << 27;
    /** Heap that rewriting a file takes, in sizes of the file: it, its model, the new weights, and the new file. */
    private static final long WINOGRAD_HEAP = 12;

    private final OrtSession session;
    private final Wiring wiring;
    private final Reading reading;
    private final int batch;
    private final boolean fixedBatch;
    private final boolean givenBatch;
    private final Map<String, String> metadata;
    private final long parameters;
    private final String sha256;
    private final EncoderSettings settings;
    private final ImageInput input;
    private final ConcurrentLinkedDeque<Slot> slots = new ConcurrentLinkedDeque<>();
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private boolean closed;

    /** A pair of direct buffers for one call. */
    private record Slot(ByteBuffer in, ByteBuffer out) {}

    /**
     * Where an embedding lies in an output: the sum over {@code count} tokens from {@code first}, divided by count, of the
     * values {@code token * tokenStep + d * step}.
     */
    private record Reading(long[] shape, boolean half, int dimension, int first, int count, int tokenStep, int step, int size) {}

    private OnnxEncoder(OrtSession session, Wiring wiring, ImageInput input, Reading reading, int batch, boolean fixedBatch,
            boolean givenBatch, Map<String, String> metadata, long parameters, String sha256, EncoderSettings settings) {
        this.session = session;
        this.wiring = wiring;
        this.input = input;
        this.reading = reading;
        this.batch = batch;
        this.fixedBatch = fixedBatch;
        this.givenBatch = givenBatch;
        this.metadata = metadata;
        this.parameters = parameters;
        this.sha256 = sha256;
        this.settings = settings;
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
     * Opens a file. A setting that is not given is taken from {@code preprocessor_config.json} in the same folder (or in the
     * one above a folder {@code onnx}), then from the file's metadata, then from the graph; {@link #settings()} says which.
     * A file of ours needs none, and does not look beside itself.
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
        byte[] bytes = bytes(file);
        Path folder = file.toAbsolutePath().getParent();
        return open(bytes, file.toString(), folder, given, runtime);
    }

    /** The whole file. */
    public static byte[] bytes(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + " is not a file: name an encoder, such as one that pretrain wrote");
        }
        if (Files.size(file) > Integer.MAX_VALUE - 16) {
            throw new InvalidEncoderException(file + " has " + Files.size(file)
                    + " bytes, more than an ONNX file can have (2 GB): export it with external data");
        }
        return Files.readAllBytes(file);
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
        ModelCheck.Checked checked = ModelCheck.check(bytes, name, folder);
        ModelProto model = checked.model();
        Map<String, String> metadata = ModelFile.metadata(model);
        Wiring wiring = Wiring.of(model, given, folder, name);
        ImageInput input = new ImageInput(wiring);
        ModelProto run = model;
        if (wiring.added()) {
            ModelProto.Builder more = model.toBuilder();
            more.getGraphBuilder().addOutput(ValueInfoProto.newBuilder().setName(wiring.output()));
            run = more.build();
        }
        if (runtime.fewerMultiplications() && checked.external().isEmpty()) {
            long heap = WINOGRAD_HEAP * bytes.length;
            if (heap <= Runtime.getRuntime().maxMemory()) {
                run = Winograd.rewrite(run, wiring);
            } else {
                LOGGER.info(name + ": its 3x3 convolutions are not rewritten for fewer multiplications, which takes a heap of -Xmx"
                        + ((heap >> 20) + 1) + "m");
            }
        }
        byte[] graph = run == model ? bytes : run.toByteArray();
        OrtSession session = null;
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            runtime.apply(options, model);
            if (!checked.external().isEmpty()) {
                options.addConfigEntry("session.model_external_initializers_file_folder_path", folder.toRealPath().toString());
            }
            session = OrtEnvironment.getEnvironment().createSession(graph, options);
            Trial trial = trial(session, wiring, input, name);
            if (given.values().containsKey("pooling") && trial.reading().shape().length == 1) {
                throw new InvalidEncoderException(name + " has an output " + wiring.output() + " [N, D], in which there is"
                        + " nothing to pool: drop pooling (--pooling), or name an output of tokens or a map (--output)");
            }
            int wanted = runtime.batch() > 0 ? runtime.batch() : batch(wiring, input, runtime, trial.reading());
            int batch = trial.fixed() > 0 ? trial.fixed() : wanted;
            int most = Integer.MAX_VALUE / Math.max(input.bytes(), outputBytes(trial.reading()));
            if (batch > most) {
                throw new IllegalArgumentException(name + ": expected a batch (--encoder-batch) of at most " + most
                        + " images, more take over 2 GB, found " + batch);
            }
            Map<String, Value> settings = new LinkedHashMap<>(wiring.settings().values());
            if (trial.pooling() != null) {
                settings.putIfAbsent("pooling", trial.pooling());
            }
            long parameters = model.getGraph().getInitializerList().stream().mapToLong(ModelCheck::count).sum();
            OnnxEncoder encoder = new OnnxEncoder(session, wiring, input, trial.reading(), batch, trial.fixed() > 0,
                    runtime.batch() > 0, Collections.unmodifiableMap(metadata), parameters, sha256(bytes, checked.external()),
                    new EncoderSettings(settings));
            encoder.warn(name);
            session = null;
            return encoder;
        } catch (OrtException | IOException e) {
            if (e instanceof InvalidEncoderException invalid) {
                throw invalid;
            }
            throw new InvalidEncoderException(name + ": ONNX Runtime can't load it: " + e.getMessage(), e);
        } finally {
            close(session);
        }
    }

    /** Silently wrong numbers are worse than a line too much. */
    private void warn(String name) {
        List<String> assumed = List.of("mean", "std").stream()
                .filter(k -> settings.values().containsKey(k) && settings.values().get(k).source().equals("default")).toList();
        if (!assumed.isEmpty()) {
            LOGGER.warning(name + " does not say its " + String.join(" and ", assumed)
                    + ": values from 0 to 1 are assumed; give them if it was trained with others");
        }
    }

    /**
     * What the first run showed.
     *
     * @param reading how the output is read
     * @param fixed the batch that it needs, 0 for any
     * @param pooling what was chosen, null if nothing was to choose
     */
    private record Trial(Reading reading, int fixed, Value pooling) {}

    private static Trial trial(OrtSession session, Wiring wiring, ImageInput input, String name) throws OrtException, InvalidEncoderException {
        // Two images show whether a batch that the file calls free is so; some graphs have a 1 inside.
        int[] tries = wiring.batch() > 0 ? new int[] {wiring.batch()} : new int[] {2, 1};
        InvalidEncoderException first = null;
        for (int n : tries) {
            long bytes = (long) n * input.bytes();
            if (bytes > MAX_BUFFER) {
                throw new InvalidEncoderException(name + " takes " + bytes + " bytes at once, expected at most " + MAX_BUFFER);
            }
            try (OnnxTensor in = input.tensor(input.buffer(n), n);
                    OrtSession.Result out = session.run(Map.of(wiring.input(), in), Set.of(wiring.output()))) {
                OnnxValue value = out.get(0);
                if (!(value.getInfo() instanceof TensorInfo info)) {
                    throw new InvalidEncoderException(
                            name + " is no image encoder: its output " + wiring.output() + " is no tensor");
                }
                if (info.type != OnnxJavaType.FLOAT && info.type != OnnxJavaType.FLOAT16) {
                    throw new InvalidEncoderException(name + " is no image encoder: expected an output of type float32 or"
                            + " float16, found " + wiring.output() + " of type " + info.type);
                }
                long[] shape = info.getShape();
                if (shape.length < 2 || shape[0] != n) {
                    throw new InvalidEncoderException(name + " is no image encoder: expected an output [" + n
                            + ", dimension] for " + n + " images, found " + wiring.output() + " " + Arrays.toString(shape));
                }
                Trial t = reading(shape, info.type == OnnxJavaType.FLOAT16, wiring, name);
                return wiring.batch() == 0 && n == 2 ? t : new Trial(t.reading(), n, t.pooling());
            } catch (OrtException e) {
                first = first != null ? first
                        : new InvalidEncoderException(name + ": ONNX Runtime can't run it: " + e.getMessage(), e);
            } catch (InvalidEncoderException e) {
                first = first != null ? first : e;
            }
        }
        throw first;
    }

    private static Trial reading(long[] shape, boolean half, Wiring wiring, String name) throws InvalidEncoderException {
        double all = 1;
        for (int i = 1; i < shape.length; i++) {
            all *= shape[i];
        }
        if (all < 1 || all > 1 << 24 || 4 * all * wiring.batch() > MAX_BUFFER) {
            throw new InvalidEncoderException(name + " is no image encoder: its output is " + Arrays.toString(shape));
        }
        int size = (int) all;
        int real = 0;
        for (int i = 1; i < shape.length; i++) {
            real += shape[i] > 1 ? 1 : 0;
        }
        long[] rest = Arrays.copyOfRange(shape, 1, shape.length);
        Pooling pooling = wiring.pooling();
        Value chosen = null;
        Reading r;
        if (real <= 1) {
            r = new Reading(rest, half, size, 0, 1, 0, 1, size);
        } else if (rest.length == 2) {
            int tokens = (int) rest[0];
            int d = (int) rest[1];
            if (pooling == null) {
                long side = Math.round(Math.sqrt(tokens));
                long without = Math.round(Math.sqrt(tokens - 1));
                if (without * without == tokens - 1) {
                    pooling = Pooling.CLASS;
                } else if (side * side == tokens) {
                    pooling = Pooling.MEAN;
                } else {
                    throw new InvalidEncoderException(name + " has an output of " + tokens + " tokens, " + Arrays.toString(shape)
                            + ": set pooling (--pooling) to what becomes of them, class, mean or mean-patches");
                }
                chosen = new Value(pooling.name().toLowerCase(java.util.Locale.ROOT), "graph");
            }
            r = switch (pooling) {
                case CLASS -> new Reading(rest, half, d, 0, 1, d, 1, size);
                case MEAN -> new Reading(rest, half, d, 0, tokens, d, 1, size);
                case MEAN_PATCHES -> new Reading(rest, half, d, 1, tokens - 1, d, 1, size);
            };
        } else if (rest.length == 3 && (pooling == null || pooling == Pooling.MEAN)) {
            // A map of places: the channels are where the two others are alike, else where the input has them.
            boolean last = rest[0] == rest[1] && rest[1] != rest[2]
                    || !(rest[1] == rest[2] && rest[0] != rest[1]) && wiring.layout() == Layout.NHWC;
            int d = (int) (last ? rest[2] : rest[0]);
            int places = size / d;
            r = new Reading(rest, half, d, 0, places, last ? d : 1, last ? 1 : places, size);
            chosen = pooling == null ? new Value("mean", "graph") : null;
        } else {
            throw new InvalidEncoderException(name + " is no image encoder: expected an output [N, D], [N, T, D] or"
                    + " [N, D, H, W], found " + wiring.output() + " " + Arrays.toString(shape)
                    + (pooling == null ? "" : " and pooling " + pooling));
        }
        if (r.dimension() < 1 || r.dimension() > MAX_DIMENSION) {
            throw new InvalidEncoderException(name + " is no image encoder: its embeddings would have " + r.dimension()
                    + " values, expected 1 to " + MAX_DIMENSION);
        }
        return new Trial(r, 0, chosen);
    }

    /**
     * On a CPU the rate hardly depends on the batch until it gets worse: a ResNet-18 of a quarter of the width made 1,400 to
     * 1,900 images of 32x32 a second in batches of 1 to 64, 830 and 650 of 128 and 256; of 224x224 it made 460 to 520 in
     * batches of 1 to 16, 155 and 90 of 32 and 64 (one thread, two busy cores). So at most 32 images, and about the pixels of
     * eight of 224x224, but some work for each thread. A GPU wants more at once. Buffers stay below 128 MiB.
     */
    private static int batch(Wiring wiring, ImageInput input, RuntimeSettings runtime, Reading reading) {
        boolean cpu = switch (Provider.of(runtime.provider())) {
            case CPU, XNNPACK, OPENVINO -> true;
            default -> false;
        };
        int pixels = wiring.preprocessing().height() * wiring.preprocessing().width();
        int images = cpu
                ? Math.max(4, Math.min(32, BATCH_PIXELS / pixels))
                : Math.max(16, Math.min(256, 8 * BATCH_PIXELS / pixels));
        int room = BATCH_BYTES / Math.max(input.bytes(), 4 * reading.size());
        return Math.max(1, Math.min(images, room));
    }

    /**
     * SHA-256 of an encoder file, and of its external data if it has any, in hexadecimal: what {@link #sha256()} says once it is
     * open.
     *
     * @throws InvalidEncoderException if it is not ONNX, or refers to data that is not in its folder
     * @throws IOException if it can't be read
     */
    public static String sha256(Path file) throws IOException {
        byte[] bytes = bytes(file);
        return sha256(bytes, ModelCheck.check(bytes, file.toString(), file.toAbsolutePath().getParent()).external());
    }

    /** Of the file, then of the files of its external data in the order of their paths. */
    private static String sha256(byte[] bytes, Set<Path> external) throws IOException {
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
     * The embeddings of some images of any size, as [images, dimension]. They are cropped and resized here, on the calling
     * thread, and go through the graph {@link #batch()} at a time.
     *
     * @throws IllegalStateException if the encoder is closed, or ONNX Runtime fails
     */
    public float[][] embed(List<RgbImage> images) {
        float[][] embeddings = new float[images.size()][];
        return locked(slot -> {
            for (int from = 0; from < embeddings.length; from += batch) {
                int n = Math.min(batch, embeddings.length - from);
                slot.in().clear();
                for (RgbImage image : images.subList(from, from + n)) {
                    byte[] rgb = wiring.preprocessing().apply(image).rgb();
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
     * @throws IllegalStateException if the encoder is closed, or ONNX Runtime fails
     */
    public float[][] embed(ByteBuffer pixels) {
        int size = wiring.preprocessing().height() * wiring.preprocessing().width() * 3;
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
        float[][] with(Slot slot) throws OrtException;
    }

    private float[][] locked(Work work) {
        lock.readLock().lock();
        try {
            if (closed) {
                throw new IllegalStateException("The encoder is closed");
            }
            Slot slot = slots.poll();
            if (slot == null) {
                slot = slot();
            }
            float[][] result = work.with(slot);
            slots.push(slot);
            return result;
        } catch (OrtException e) {
            throw new IllegalStateException("ONNX Runtime failed: " + e.getMessage(), e);
        } finally {
            lock.readLock().unlock();
        }
    }

    private Slot slot() {
        int out = Math.multiplyExact(batch, outputBytes(reading));
        try {
            return new Slot(input.buffer(batch), ByteBuffer.allocateDirect(out).order(ByteOrder.nativeOrder()));
        } catch (OutOfMemoryError e) {
            throw new IllegalStateException("Java has no memory left for a batch of " + batch + " images, "
                    + ((long) batch * input.bytes() + out) + " bytes: choose a smaller batch, or give it more"
                    + " (-XX:MaxDirectMemorySize)", e);
        }
    }

    private static int outputBytes(Reading r) {
        return r.size() * (r.half() ? 2 : 4);
    }

    /** Runs the first n images of a buffer; a fixed batch is filled up with what is left in it. */
    private void run(ByteBuffer in, ByteBuffer out, int n, float[][] embeddings, int at) throws OrtException {
        int images = fixedBatch ? batch : n;
        ByteBuffer pixels = in.slice(0, images * input.bytes()).order(ByteOrder.nativeOrder());
        int bytes = reading.half() ? 2 : 4;
        ByteBuffer result = out.slice(0, images * reading.size() * bytes).order(ByteOrder.nativeOrder());
        long[] shape = new long[reading.shape().length + 1];
        shape[0] = images;
        System.arraycopy(reading.shape(), 0, shape, 1, shape.length - 1);
        try (OnnxTensor tensor = input.tensor(pixels, images);
                OnnxTensor output = OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), result, shape,
                        reading.half() ? OnnxJavaType.FLOAT16 : OnnxJavaType.FLOAT)) {
            session.run(Map.of(wiring.input(), tensor), Map.of(wiring.output(), output)).close();
            for (int i = 0; i < n; i++) {
                embeddings[at + i] = read(result, i * reading.size() * bytes);
            }
        }
    }

    private float[] read(ByteBuffer result, int at) {
        float[] v = new float[reading.dimension()];
        if (!reading.half() && reading.count() == 1 && reading.step() == 1) {
            result.slice(at + 4 * reading.first() * reading.tokenStep(), 4 * v.length).order(ByteOrder.nativeOrder())
                    .asFloatBuffer().get(v);
            return v;
        }
        for (int d = 0; d < v.length; d++) {
            double sum = 0;
            for (int t = reading.first(); t < reading.first() + reading.count(); t++) {
                int i = t * reading.tokenStep() + d * reading.step();
                sum += reading.half() ? Tensors.half(result.getShort(at + 2 * i)) : result.getFloat(at + 4 * i);
            }
            v[d] = (float) (sum / reading.count());
        }
        return v;
    }

    /** What is done to an image before the graph. */
    public Preprocessing preprocessing() {
        return wiring.preprocessing();
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
        return reading.dimension();
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
                slots.clear();
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
