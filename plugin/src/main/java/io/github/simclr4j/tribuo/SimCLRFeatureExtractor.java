package io.github.simclr4j.tribuo;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.github.simclr4j.onnx.EncoderWriter;
import io.github.simclr4j.onnx.Images;
import io.github.simclr4j.onnx.OnnxEncoder;
import io.github.simclr4j.onnx.Preprocessing;
import io.github.simclr4j.onnx.RgbImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.tribuo.Output;
import org.tribuo.OutputFactory;

/**
 * Features from an encoder file, run by ONNX Runtime.
 *
 * <p><b>Threads and sharing.</b> All methods may be called by several threads at once, {@link #close} too: calls in progress
 * end well, later ones throw {@link IllegalStateException}. The encoder's native session is counted: {@link #share} gives
 * another extractor, perhaps of another output type, on the same session, and the session is freed when the last of them is
 * closed and the last call has ended. {@link #encoder()} belongs to the extractors and is not to be closed by others.
 *
 * @param <T> the output type
 */
public final class SimCLRFeatureExtractor<T extends Output<T>> implements ImageFeatureExtractor<T> {
    private static final int BATCH = 256;

    @Config(mandatory = true, description = "Output factory to use.")
    private OutputFactory<T> outputFactory;

    @Config(mandatory = true, description = "Path to the encoder in ONNX format.")
    private Path encoderPath;

    @Config(description = "Threads of one call of the encoder, 0 for as many as ONNX Runtime likes.")
    private int threads = 0;

    @Config(description = "Most images of one run of the encoder, 0 for 256; longer lists take several runs.")
    private int batch = 0;

    @Config(description = "Keeps features on disk, so that an image that was seen before needs no inference.")
    private FeatureCache cache;

    private SharedEncoder shared;
    private String cacheKey;
    private String[] names;
    private volatile boolean closed;
    private volatile ExtractionListener listener = new ExtractionListener() {};

    /** For OLCUT. */
    private SimCLRFeatureExtractor() {}

    /** See {@link #SimCLRFeatureExtractor(OutputFactory, Path, int)}; ONNX Runtime chooses the threads. */
    public SimCLRFeatureExtractor(OutputFactory<T> outputFactory, Path encoderPath) {
        this(outputFactory, encoderPath, 0);
    }

    /**
     * Opens an encoder.
     *
     * @param outputFactory what makes outputs
     * @param encoderPath the encoder file
     * @param threads threads of one call, 0 for as many as ONNX Runtime likes
     * @throws PropertyException if the file can't be read or is no encoder; the message names it
     */
    public SimCLRFeatureExtractor(OutputFactory<T> outputFactory, Path encoderPath, int threads) {
        this(outputFactory, encoderPath, threads, null);
    }

    /**
     * Opens an encoder.
     *
     * @param outputFactory what makes outputs
     * @param encoderPath the encoder file
     * @param threads threads of one call, 0 for as many as ONNX Runtime likes
     * @param cache keeps features on disk; null for none
     * @throws PropertyException if the file can't be read or is no encoder; the message names it
     */
    public SimCLRFeatureExtractor(OutputFactory<T> outputFactory, Path encoderPath, int threads, FeatureCache cache) {
        this.outputFactory = outputFactory;
        this.encoderPath = encoderPath;
        this.threads = threads;
        this.cache = cache;
        postConfig();
    }

    /** Used by the OLCUT configuration system, and should not be called by external code. */
    @Override
    public void postConfig() {
        if (batch < 0) {
            throw new PropertyException("", "batch", "Expected 0 or more, found " + batch);
        }
        try {
            use(new SharedEncoder(OnnxEncoder.open(encoderPath, threads)));
        } catch (IOException e) {
            throw new PropertyException(e, "", "encoderPath", e.getMessage());
        }
    }

    private void use(SharedEncoder encoder) {
        shared = encoder;
        names = ImageFeatureExtractor.names("h", encoder().dimension());
        // Whatever changes features: the file, what is done before it, and this library, whose decoders may change.
        String made = measured().stream().map(p -> p.getKey() + "=" + p.getValue()).collect(Collectors.joining("\n"));
        cacheKey = OnnxEncoder.sha256((made + "\n" + encoder().preprocessing() + "\n" + EncoderWriter.libraryVersion())
                .getBytes(StandardCharsets.UTF_8));
    }

    /** What the provenance says of the encoder. */
    private List<StringProvenance> measured() {
        return List.of(
                new StringProvenance(ExtractorProvenance.ENCODER_HASH, encoder().sha256()),
                new StringProvenance(ExtractorProvenance.PREPROCESSING, Preprocessing.RULE));
    }

    /**
     * Another extractor on the same session, to be closed for itself. It has no listener yet.
     *
     * @param other what makes its outputs
     * @throws IllegalStateException if this extractor is closed
     */
    public <U extends Output<U>> SimCLRFeatureExtractor<U> share(OutputFactory<U> other) {
        checkOpen();
        SimCLRFeatureExtractor<U> copy = new SimCLRFeatureExtractor<>();
        copy.outputFactory = other;
        copy.encoderPath = encoderPath;
        copy.threads = threads;
        copy.batch = batch;
        copy.cache = cache;
        copy.use(shared.retain());
        return copy;
    }

    /**
     * Sets who is told how long the work took.
     *
     * @param listener is told from now on, in place of the one before; null for nobody
     */
    public void setListener(ExtractionListener listener) {
        this.listener = listener == null ? new ExtractionListener() {} : listener;
    }

    /**
     * Prepares the bytes of an image file: looks it up in the cache, or decodes, crops and resizes it.
     *
     * @throws IOException if they are no whole image
     * @throws IllegalStateException if the extractor is closed
     */
    @Override
    public PreparedImage prepare(byte[] file) throws IOException {
        checkOpen();
        String key = cache == null ? null : OnnxEncoder.sha256(file);
        PreparedImage cached = cached(key);
        if (cached != null) {
            return cached;
        }
        long start = System.nanoTime();
        RgbImage image = Images.read(file);
        return preprocess(image, key, System.nanoTime() - start);
    }

    /**
     * Prepares a decoded image; the cache knows it by its pixels.
     *
     * @throws IllegalStateException if the extractor is closed
     */
    @Override
    public PreparedImage prepare(RgbImage image) {
        checkOpen();
        String key = null;
        if (cache != null) {
            byte[] rgb = image.rgb();
            key = OnnxEncoder.sha256(ByteBuffer.allocate(11 + rgb.length)
                    .put("RGB".getBytes(StandardCharsets.US_ASCII)).putInt(image.width()).putInt(image.height())
                    .put(rgb).array());
        }
        PreparedImage cached = cached(key);
        return cached != null ? cached : preprocess(image, key, 0);
    }

    private PreparedImage cached(String key) {
        float[] known = key == null ? null : cache.get(cacheKey, key, names.length);
        return known == null ? null : new PreparedImage(null, known, key, 0, 0);
    }

    private PreparedImage preprocess(RgbImage image, String key, long decodeNanos) {
        long start = System.nanoTime();
        RgbImage pixels = encoder().preprocessing().apply(image);
        return new PreparedImage(pixels, null, key, decodeNanos, System.nanoTime() - start);
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException if the extractor is closed, ONNX Runtime fails, or a feature is not finite
     */
    @Override
    public double[][] features(List<RgbImage> images) {
        return doubles(floatFeatures(images));
    }

    @Override
    public float[][] floatFeatures(List<RgbImage> images) {
        return floats(images.stream().map(this::prepare).toList());
    }

    @Override
    public double[][] encode(List<PreparedImage> images) {
        return doubles(floats(images));
    }

    private static double[][] doubles(float[][] floats) {
        double[][] doubles = new double[floats.length][];
        for (int i = 0; i < floats.length; i++) {
            doubles[i] = new double[floats[i].length];
            for (int j = 0; j < floats[i].length; j++) {
                doubles[i][j] = floats[i][j];
            }
        }
        return doubles;
    }

    private float[][] floats(List<PreparedImage> images) {
        checkOpen();
        float[][] features = new float[images.size()][];
        List<Integer> unknown = new ArrayList<>();
        for (int i = 0; i < features.length; i++) {
            features[i] = images.get(i).known;
            if (features[i] == null) {
                unknown.add(i);
            }
        }
        long inference = 0;
        int most = batch == 0 ? BATCH : batch;
        for (int from = 0; from < unknown.size(); from += most) {
            List<Integer> run = unknown.subList(from, Math.min(unknown.size(), from + most));
            List<PreparedImage> prepared = run.stream().map(images::get).toList();
            long start = System.nanoTime();
            float[][] embeddings = shared.embed(prepared.stream().map(p -> p.pixels).toList());
            long nanos = System.nanoTime() - start;
            inference += nanos;
            for (int i = 0; i < embeddings.length; i++) {
                features[run.get(i)] = finite(embeddings[i]);
                if (prepared.get(i).key != null) {
                    cache.put(cacheKey, prepared.get(i).key, embeddings[i]);
                }
            }
            listener.batch(timings(prepared, nanos));
        }
        if (features.length > 0) {
            listener.call(timings(images, inference));
        }
        return features;
    }

    private static ExtractionListener.Timings timings(List<PreparedImage> images, long inference) {
        int cached = 0;
        long decode = 0;
        long preprocess = 0;
        for (PreparedImage image : images) {
            cached += image.known == null ? 0 : 1;
            decode += image.decodeNanos;
            preprocess += image.preprocessNanos;
        }
        return new ExtractionListener.Timings(images.size(), cached, decode, preprocess, inference);
    }

    /** Tribuo refuses an example with such a value without saying where it comes from. */
    private float[] finite(float[] embedding) {
        for (int j = 0; j < embedding.length; j++) {
            if (!Float.isFinite(embedding[j])) {
                throw new IllegalStateException(encoderPath + ": expected finite features, found " + names[j] + " = "
                        + embedding[j] + ": the encoder is broken");
            }
        }
        return embedding;
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("The extractor of " + encoderPath + " is closed");
        }
    }

    @Override
    public String[] featureNames() {
        return names;
    }

    @Override
    public OutputFactory<T> getOutputFactory() {
        return outputFactory;
    }

    /** The encoder. It belongs to the extractors that share it. */
    public OnnxEncoder encoder() {
        return shared.encoder();
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ExtractorProvenance(this);
    }

    @Override
    public String toString() {
        return "SimCLRFeatureExtractor(encoderPath=" + encoderPath + ",dimension=" + names.length + ")";
    }

    /** Gives the session back; a second call does nothing. */
    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        shared.release();
    }

    /** Which encoder, by its content, and which preprocessing. */
    public static final class ExtractorProvenance extends MeasuredProvenance {
        private static final long serialVersionUID = 1L;
        /** SHA-256 of the encoder file. */
        public static final String ENCODER_HASH = "encoder-sha256";
        /** The resize rule before the encoder. */
        public static final String PREPROCESSING = "preprocessing";

        <T extends Output<T>> ExtractorProvenance(SimCLRFeatureExtractor<T> host) {
            super(host, "FeatureExtractor", host.measured());
        }

        /**
         * Deserialization constructor.
         *
         * @param map the provenances
         */
        public ExtractorProvenance(Map<String, Provenance> map) {
            super(map, Map.of(ENCODER_HASH, StringProvenance.class, PREPROCESSING, StringProvenance.class),
                    ExtractorProvenance.class.getSimpleName());
        }
    }
}
