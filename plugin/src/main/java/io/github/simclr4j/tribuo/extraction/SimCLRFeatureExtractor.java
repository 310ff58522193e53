package io.github.simclr4j.tribuo.extraction;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.github.simclr4j.images.Images;
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
 * Features from an encoder file, run by ONNX Runtime.
 *
 * <p><b>Threads and sharing.</b> All methods may be called by several threads at once, {@link #close} too: calls in progress
 * end well, later ones throw {@link IllegalStateException}. The encoder's native session is counted: {@link #share} gives
 * another extractor, perhaps of another output type, on the same session, and the session is freed when the last of them is
 * closed and the last call has ended. {@link #encoder()} belongs to the extractors and is not to be closed by others.
 *
 * @param <T> the output type
 */
public class SimCLRFeatureExtractor<T extends Output<T>> implements ImageFeatureExtractor<T> {
    @Config(mandatory = true, description = "Output factory to use.")
    private OutputFactory<T> outputFactory;

    @Config(mandatory = true, description = "Path to the encoder in ONNX format.")
    private Path encoderPath;

    @Config(description = "Threads of one call of the encoder, 0 for as many as ONNX Runtime likes.")
    private int threads = 0;

    // An encoder of ours needs none of the following; what is left empty is taken from the file, or from what lies beside it.
    @Config(description = "Pixels of the encoder's input, such as 224, or rows x columns, 256x128.")
    private String imageSize = "";

    @Config(description = "short-side (then the centre is cut out), center-square or stretch.")
    private String resize = "";

    @Config(description = "Pixels that short-side makes the shorter side before the cut, such as 256.")
    private String resizeShort = "";

    @Config(description = "Filter of the resize: bilinear, bicubic, lanczos, hamming, box or nearest.")
    private String interpolation = "";

    @Config(description = "What a value from 0 to 255 is multiplied by, such as 1/255.")
    private String scale = "";

    @Config(description = "Subtracted after scaling: one value, or one a channel, 0.485,0.456,0.406.")
    private String mean = "";

    @Config(description = "What the difference is divided by: one value, or one a channel.")
    private String std = "";

    @Config(description = "rgb, bgr or grey.")
    private String channels = "";

    @Config(description = "nchw or nhwc, where the file does not tell.")
    private String layout = "";

    @Config(description = "Name of the image's input, where there are several.")
    private String input = "";

    @Config(description = "Name of the embedding's output: any value that the graph computes.")
    private String output = "";

    @Config(description = "What becomes of tokens: class (the first), mean, or mean-patches (all but the first).")
    private String pooling = "";

    @Config(description = "JSON file with those settings, or a preprocessor_config.json; the settings here win over it.")
    private Path preprocessingFile;

    @Config(description = "What runs the encoder: cpu, cuda, tensorrt, coreml, directml, openvino or xnnpack.")
    private String provider = "cpu";

    @Config(description =
            "Images in one run of the encoder, 0 for a number that suits the machine; longer lists take several runs.")
    private int batch = 0;

    @Config(description =
            "Whether 3x3 convolutions may be done with fewer multiplications where that is faster; values differ by rounding.")
    private boolean winograd = true;

    @Config(description = "Session options of ONNX Runtime by their names, such as session.intra_op.allow_spinning and 0.")
    private Map<String, String> sessionOptions = new HashMap<>();

    @Config(description = "Keeps features on disk, so that an image that was seen before needs no inference.")
    private FeatureCache cache;

    private RuntimeSettings.Customiser customiser;

    private CachedEncoder encoder;
    private String[] names;
    private volatile boolean closed;
    private volatile ExtractionListener listener = new ExtractionListener() {};

    /** For OLCUT. */
    protected SimCLRFeatureExtractor() {}

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
        this(outputFactory, encoderPath, EncoderSettings.none(), RuntimeSettings.DEFAULT.withThreads(threads), null);
    }

    /**
     * Opens an encoder of anybody.
     *
     * @param outputFactory what makes outputs
     * @param encoderPath the encoder file
     * @param settings what is known of it beyond what the file says
     * @param runtime how it is run
     * @param cache keeps features on disk; null for none. It does not know what a customiser does: give one that changes
     *     features a folder of its own.
     * @throws PropertyException if the file can't be read or is no encoder, or the settings contradict it; the message names it
     */
    public SimCLRFeatureExtractor(OutputFactory<T> outputFactory, Path encoderPath, EncoderSettings settings,
            RuntimeSettings runtime, FeatureCache cache) {
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

    /** The settings as configured, by the names that {@link EncoderSettings} has for them. */
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

    /** Configures a setting of {@link EncoderSettings}. */
    private void set(String name, String text) {
        try {
            field(name).set(this, text);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The field that configures a setting: that of {@code resize-short} is {@code resizeShort}. */
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

    /** The encoder file. */
    public Path encoderPath() {
        return encoderPath;
    }

    /** Threads of one call, 0 for as many as ONNX Runtime likes. */
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

    /** What the provenance says of the encoder. */
    private List<StringProvenance> measured() {
        return List.of(
                new StringProvenance(ExtractorProvenance.ENCODER_HASH, encoder().sha256()),
                new StringProvenance(ExtractorProvenance.PREPROCESSING, encoder().preprocessing().rule()),
                new StringProvenance(ExtractorProvenance.SETTINGS,
                        EncoderFacts.withSources(encoder().settings())));
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
        copy.set(runtime());
        texts().forEach(copy::set);
        copy.preprocessingFile = preprocessingFile;
        copy.cache = cache;
        copy.use(encoder.shared().retain());
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
        return encoder.prepare(file);
    }

    /**
     * Prepares a decoded image; the cache knows it by its pixels.
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

    /** Returns the names of an encoder's features, {@code h000} and so on. */
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

    /** The encoder. It belongs to the extractors that share it. */
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

    /** Gives the session back; a second call does nothing. */
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

    /** Which encoder, by its content, which preprocessing, and every setting with where it is from. */
    public static class ExtractorProvenance extends MeasuredProvenance {
        private static final long serialVersionUID = 1L;
        /** SHA-256 of the encoder file. */
        public static final String ENCODER_HASH = "encoder-sha256";
        /** The resize rule before the encoder. */
        public static final String PREPROCESSING = "preprocessing";
        /** The encoder's settings, as {@code name=value (source)}; missing in models that were saved before it was there. */
        public static final String SETTINGS = "encoder-settings";

        <T extends Output<T>> ExtractorProvenance(SimCLRFeatureExtractor<T> host) {
            super(host, "FeatureExtractor", host.measured());
        }

        /**
         * Deserialization constructor.
         *
         * @param map the provenances
         */
        public ExtractorProvenance(Map<String, Provenance> map) {
            super(map, Map.of(ENCODER_HASH, StringProvenance.class, PREPROCESSING, StringProvenance.class,
                    SETTINGS, StringProvenance.class),
                    ExtractorProvenance.class.getSimpleName());
        }
    }
}
