// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.extraction;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.tribuo.internal.EncoderFacts;
import io.github.simclr4j.tribuo.internal.MeasuredProvenance;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.tribuo.Output;
import org.tribuo.OutputFactory;

/**
 * Extracts features with an encoder in an ONNX file, which ONNX Runtime executes. The encoder may come from this library's
 * pretraining or from elsewhere.
 *
 * <p><b>Threads.</b> All methods are thread-safe, including {@link #close}. Calls in progress then still complete; later calls throw
 * {@link IllegalStateException}.
 *
 * <p><b>Native memory.</b> An extractor owns an ONNX Runtime session, so close it. {@link #share} makes another extractor on the same
 * session, for example with another output type. The session is freed when the last of these extractors is closed and the last call
 * has ended. {@link #encoder()} belongs to the extractors; do not close it.
 *
 * @param <T> the output type
 * @since 0.1.0
 */
public class SimCLRFeatureExtractor<T extends Output<T>> implements ImageFeatureExtractor<T> {
    @Config(mandatory = true, description = "Output factory to use.")
    private OutputFactory<T> outputFactory;

    @Config(mandatory = true, description = "Path to the encoder in ONNX format.")
    private Path encoderPath;

    @Config(description = "Threads per call of the encoder; 0 lets ONNX Runtime choose.")
    private int threads = 0;

    // An encoder trained by simclr4j needs none of the following: empty values are read from the file's metadata or
    // from files beside it.
    @Config(
            description =
                    "Input size of the encoder in pixels: one number for a square, such as 224, or height x width, such as 256x128.")
    private String imageSize = "";

    @Config(description = "How images are resized: short-side (followed by a centre crop), center-square or stretch.")
    private String resize = "";

    @Config(description = "Length in pixels of the shorter side after short-side, before the centre crop, such as 256.")
    private String resizeShort = "";

    @Config(description = "Interpolation filter of the resize: bilinear, bicubic, lanczos, hamming, box or nearest.")
    private String interpolation = "";

    @Config(description = "Factor for pixel values, which are from 0 to 255, such as 1/255.")
    private String scale = "";

    @Config(description = "Mean subtracted after scaling: one value, or one per channel, such as 0.485,0.456,0.406.")
    private String mean = "";

    @Config(description = "Standard deviation to divide by after subtracting the mean: one value, or one per channel.")
    private String std = "";

    @Config(description = "Channel order of the encoder's input: rgb, bgr or grey.")
    private String channels = "";

    @Config(description = "Tensor layout of the encoder's input, if the file leaves it open: nchw or nhwc.")
    private String layout = "";

    @Config(description = "Name of the image input, if the graph has several inputs.")
    private String input = "";

    @Config(
            description = "Name of the embedding's output: any value that the graph computes."
                    + " The features of several outputs, such as a,b, are concatenated.")
    private String output = "";

    @Config(
            description =
                    "How tokens are pooled: class (the first one), mean, or mean-patches (the mean of all but the first)."
                            + " class+mean concatenates the results of both.")
    private String pooling = "";

    @Config(
            description =
                    "JSON file with these settings, or a preprocessor_config.json. Settings given here override it.")
    private Path preprocessingFile;

    @Config(
            description =
                    "Execution provider of ONNX Runtime: cpu, cuda, tensorrt, coreml, directml, openvino or xnnpack.")
    private String provider = "cpu";

    @Config(description = "Maximum number of images per run of the encoder; 0 chooses a number that suits the machine.")
    private int batch = 0;

    @Config(
            description =
                    "Whether 3x3 convolutions may use Winograd's algorithm where that is faster; features differ by rounding errors.")
    private boolean winograd = true;

    @Config(description = "ONNX Runtime session options by name, such as session.intra_op.allow_spinning = 0.")
    private Map<String, String> sessionOptions = new HashMap<>();

    @Config(description = "Cache of features on disk, so that the encoder runs only once on each image.")
    private FeatureCache cache;

    private RuntimeSettings.Customiser customiser;

    private CachedEncoder encoder;
    private String[] names;
    private volatile boolean closed;
    private volatile ExtractionListener listener = new ExtractionListener() {};

    /** Required by OLCUT. */
    protected SimCLRFeatureExtractor() {}

    /**
     * Opens an encoder. ONNX Runtime chooses the number of threads.
     *
     * @param outputFactory the factory of outputs
     * @param encoderPath the encoder file
     * @throws PropertyException if the file can't be read or is not an encoder; the message names the file
     */
    public SimCLRFeatureExtractor(OutputFactory<T> outputFactory, Path encoderPath) {
        this(outputFactory, encoderPath, 0);
    }

    /**
     * Opens an encoder.
     *
     * @param outputFactory the factory of outputs
     * @param encoderPath the encoder file
     * @param threads threads per call; 0 lets ONNX Runtime choose
     * @throws PropertyException if the file can't be read or is not an encoder; the message names the file
     */
    public SimCLRFeatureExtractor(OutputFactory<T> outputFactory, Path encoderPath, int threads) {
        this(outputFactory, encoderPath, EncoderSettings.none(), RuntimeSettings.DEFAULT.withThreads(threads), null);
    }

    /**
     * Opens an encoder of any origin.
     *
     * @param outputFactory the factory of outputs
     * @param encoderPath the encoder file
     * @param settings settings that the file's metadata does not contain, or that override it
     * @param runtime the threads, execution provider and session options of ONNX Runtime
     * @param cache a cache of features on disk, or null. Its keys do not include the effect of a session customiser: use a separate
     *     folder for a customiser that changes the features
     * @throws PropertyException if the file can't be read or is not an encoder, or if the settings contradict it; the message names
     *     the file
     */
    public SimCLRFeatureExtractor(
            OutputFactory<T> outputFactory,
            Path encoderPath,
            EncoderSettings settings,
            RuntimeSettings runtime,
            FeatureCache cache) {
        this.outputFactory = outputFactory;
        this.encoderPath = encoderPath;
        set(runtime);
        settings.values().forEach((name, value) -> set(name, value.text()));
        this.cache = cache;
        open(settings);
    }

    /** Used by the OLCUT configuration system, and should not be called by external code. */
    @Override
    public void postConfig() {
        try {
            EncoderSettings given = EncoderSettings.of(texts(), "configuration");
            open(preprocessingFile == null ? given : given.or(EncoderSettings.read(preprocessingFile)));
        } catch (IOException e) {
            throw new PropertyException(e, "", "preprocessingFile", e.getMessage());
        } catch (IllegalArgumentException e) {
            throw new PropertyException(e, "", "encoderPath", e.getMessage());
        }
    }

    /** Returns the configured settings by their names in {@link EncoderSettings}. */
    private Map<String, String> texts() {
        Map<String, String> texts = new LinkedHashMap<>();
        for (String name : EncoderSettings.NAMES) {
            try {
                texts.put(name, (String) field(name).get(this));
            } catch (IllegalAccessException e) {
                throw new IllegalStateException(e);
            }
        }
        return texts;
    }

    /** Sets the field of a setting of {@link EncoderSettings}. */
    private void set(String name, String text) {
        try {
            field(name).set(this, text);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns the field that configures a setting: {@code resizeShort} for {@code resize-short}. */
    private static Field field(String setting) {
        String[] words = setting.split("-");
        StringBuilder name = new StringBuilder(words[0]);
        for (int i = 1; i < words.length; i++) {
            name.append(words[i].substring(0, 1).toUpperCase(Locale.ROOT)).append(words[i].substring(1));
        }
        try {
            return SimCLRFeatureExtractor.class.getDeclaredField(name.toString());
        } catch (NoSuchFieldException e) {
            throw new IllegalStateException("No field configures the setting " + setting, e);
        }
    }

    private void set(RuntimeSettings runtime) {
        threads = runtime.threads();
        provider = runtime.provider();
        batch = runtime.batch();
        winograd = runtime.winograd();
        sessionOptions = new HashMap<>(runtime.options());
        customiser = runtime.customiser();
    }

    /** Returns the encoder file. */
    public Path encoderPath() {
        return encoderPath;
    }

    /** Returns the number of threads per call, or 0 if ONNX Runtime chooses. */
    public int threads() {
        return threads;
    }

    private RuntimeSettings runtime() {
        return new RuntimeSettings(threads, provider, batch, winograd, sessionOptions, customiser);
    }

    private void open(EncoderSettings settings) {
        try {
            use(new SharedEncoder(OnnxEncoder.open(encoderPath, settings, runtime())));
        } catch (IOException e) {
            throw new PropertyException(e, "", "encoderPath", e.getMessage());
        } catch (IllegalArgumentException | IllegalStateException e) {
            throw new PropertyException(e, "", "threads, batch, provider, sessionOptions", e.getMessage());
        }
    }

    private void use(SharedEncoder shared) {
        encoder = new CachedEncoder(shared, cache, runtime());
        names = featureNames(encoder().dimension());
    }

    /** Returns the encoder's entries in the provenance. */
    private List<StringProvenance> measured() {
        return List.of(
                new StringProvenance(ExtractorProvenance.ENCODER_HASH, encoder().sha256()),
                new StringProvenance(
                        ExtractorProvenance.PREPROCESSING,
                        encoder().preprocessing().rule()),
                new StringProvenance(
                        ExtractorProvenance.SETTINGS,
                        EncoderFacts.withSources(encoder().settings())));
    }

    /**
     * Makes another extractor on the same session. It has no listener, and the caller closes it separately.
     *
     * @param <U> the output type of the new extractor
     * @param other the factory of the new extractor's outputs
     * @throws IllegalStateException if this extractor is closed
     */
    public <U extends Output<U>> SimCLRFeatureExtractor<U> share(OutputFactory<U> other) {
        checkOpen();
        SimCLRFeatureExtractor<U> copy = new SimCLRFeatureExtractor<>();
        copy.outputFactory = other;
        copy.encoderPath = encoderPath;
        copy.set(runtime());
        texts().forEach(copy::set);
        copy.preprocessingFile = preprocessingFile;
        copy.cache = cache;
        copy.use(encoder.shared().retain());
        return copy;
    }

    /**
     * Sets the listener that receives timings. It replaces the previous one.
     *
     * @param listener the listener, or null for none
     */
    public void setListener(ExtractionListener listener) {
        this.listener = listener == null ? new ExtractionListener() {} : listener;
    }

    /**
     * Looks an image file up in the cache, or else decodes, crops and resizes it.
     *
     * @throws IOException if the bytes are not a complete image in a supported format
     * @throws IllegalStateException if the extractor is closed
     */
    @Override
    public PreparedImage prepare(byte[] file) throws IOException {
        checkOpen();
        return encoder.prepare(file);
    }

    /**
     * Looks a decoded image up in the cache by its pixels, or else crops and resizes it.
     *
     * @throws IllegalStateException if the extractor is closed
     */
    @Override
    public PreparedImage prepare(RgbImage image) {
        checkOpen();
        return encoder.prepare(image);
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
        return encoder.encode(images, listener);
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("The extractor of " + encoderPath + " is closed");
        }
    }

    /**
     * Returns the names of an encoder's features, {@code h000} and so on.
     *
     * @param dimension the number of features
     */
    public static String[] featureNames(int dimension) {
        return ImageFeatureExtractor.names("h", dimension);
    }

    @Override
    public String[] featureNames() {
        return names;
    }

    @Override
    public OutputFactory<T> getOutputFactory() {
        return outputFactory;
    }

    /** Returns the encoder. It belongs to the extractors that share it; do not close it. */
    public OnnxEncoder encoder() {
        return encoder.shared().encoder();
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ExtractorProvenance(this);
    }

    @Override
    public String toString() {
        return "SimCLRFeatureExtractor(encoderPath=" + encoderPath + ",dimension=" + names.length + ")";
    }

    /** Releases this extractor's reference to the session. A second call does nothing. */
    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        encoder.shared().release();
    }

    /** Records the hash of the encoder file, the preprocessing, and every setting with its source. */
    public static class ExtractorProvenance extends MeasuredProvenance {
        private static final long serialVersionUID = 1L;
        /** The key of the SHA-256 of the encoder file. */
        public static final String ENCODER_HASH = "encoder-sha256";
        /** The key of the resize rule. */
        public static final String PREPROCESSING = "preprocessing";
        /** The key of the encoder's settings, as {@code name=value (source)}. Models saved by older versions lack it. */
        public static final String SETTINGS = "encoder-settings";

        <T extends Output<T>> ExtractorProvenance(SimCLRFeatureExtractor<T> host) {
            super(host, "FeatureExtractor", host.measured());
        }

        /**
         * Restores a saved provenance.
         *
         * @param map the saved values by name
         */
        public ExtractorProvenance(Map<String, Provenance> map) {
            super(
                    map,
                    Map.of(
                            ENCODER_HASH,
                            StringProvenance.class,
                            PREPROCESSING,
                            StringProvenance.class,
                            SETTINGS,
                            StringProvenance.class),
                    ExtractorProvenance.class.getSimpleName());
        }
    }
}
