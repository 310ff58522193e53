package io.github.simclr4j.tribuo;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.ObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.PrimitiveProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.SkeletalConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.github.simclr4j.onnx.EncoderSettings;
import io.github.simclr4j.onnx.OnnxEncoder;
import io.github.simclr4j.onnx.RgbImage;
import io.github.simclr4j.onnx.RuntimeSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.tribuo.Output;
import org.tribuo.OutputFactory;

/**
 * Features from an encoder file, run by ONNX Runtime. It may be shared by threads; it owns the encoder's native session until
 * it is closed, and must not be closed while another thread extracts.
 *
 * @param <T> the output type
 */
public final class SimCLRFeatureExtractor<T extends Output<T>> implements ImageFeatureExtractor<T> {

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
    private Path preprocessing;

    @Config(description = "What runs the encoder: cpu, cuda, tensorrt, coreml, directml, openvino or xnnpack.")
    private String provider = "cpu";

    @Config(description = "Images in one run of the encoder, 0 for a number that suits the machine.")
    private int batch = 0;

    private RuntimeSettings.Customiser customiser;

    private OnnxEncoder encoder;
    private String[] names;

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
        this(outputFactory, encoderPath, EncoderSettings.none(), RuntimeSettings.DEFAULT.withThreads(threads));
    }

    /**
     * Opens an encoder of anybody.
     *
     * @param outputFactory what makes outputs
     * @param encoderPath the encoder file
     * @param settings what is known of it beyond what the file says
     * @param runtime how it is run
     * @throws PropertyException if the file can't be read or is no encoder, or the settings contradict it; the message names it
     */
    public SimCLRFeatureExtractor(
            OutputFactory<T> outputFactory, Path encoderPath, EncoderSettings settings, RuntimeSettings runtime) {
        this.outputFactory = outputFactory;
        this.encoderPath = encoderPath;
        this.threads = runtime.threads();
        this.provider = runtime.provider();
        this.batch = runtime.batch();
        this.customiser = runtime.customiser();
        this.imageSize = settings.get("image-size").orElse("");
        this.resize = settings.get("resize").orElse("");
        this.resizeShort = settings.get("resize-short").orElse("");
        this.interpolation = settings.get("interpolation").orElse("");
        this.scale = settings.get("scale").orElse("");
        this.mean = settings.get("mean").orElse("");
        this.std = settings.get("std").orElse("");
        this.channels = settings.get("channels").orElse("");
        this.layout = settings.get("layout").orElse("");
        this.input = settings.get("input").orElse("");
        this.output = settings.get("output").orElse("");
        this.pooling = settings.get("pooling").orElse("");
        open(settings);
    }

    /** Used by the OLCUT configuration system, and should not be called by external code. */
    @Override
    public void postConfig() {
        Map<String, String> map = new HashMap<>();
        map.put("image-size", imageSize);
        map.put("resize", resize);
        map.put("resize-short", resizeShort);
        map.put("interpolation", interpolation);
        map.put("scale", scale);
        map.put("mean", mean);
        map.put("std", std);
        map.put("channels", channels);
        map.put("layout", layout);
        map.put("input", input);
        map.put("output", output);
        map.put("pooling", pooling);
        try {
            EncoderSettings given = EncoderSettings.of(map, "configuration");
            open(preprocessing == null ? given : given.or(EncoderSettings.read(preprocessing)));
        } catch (IOException e) {
            throw new PropertyException(e, "", "preprocessing", e.getMessage());
        } catch (IllegalArgumentException e) {
            throw new PropertyException(e, "", "encoderPath", e.getMessage());
        }
    }

    private void open(EncoderSettings settings) {
        try {
            encoder = OnnxEncoder.open(encoderPath, settings, new RuntimeSettings(threads, provider, batch, customiser));
        } catch (IOException e) {
            throw new PropertyException(e, "", "encoderPath", e.getMessage());
        } catch (IllegalArgumentException | IllegalStateException e) {
            throw new PropertyException(e, "", "provider", e.getMessage());
        }
        names = ImageFeatureExtractor.names("h", encoder.dimension());
    }

    @Override
    public double[][] features(List<RgbImage> images) {
        float[][] embeddings = encoder.embed(images);
        double[][] features = new double[embeddings.length][names.length];
        for (int i = 0; i < embeddings.length; i++) {
            for (int j = 0; j < names.length; j++) {
                features[i][j] = embeddings[i][j];
            }
        }
        return features;
    }

    @Override
    public String[] featureNames() {
        return names;
    }

    @Override
    public OutputFactory<T> getOutputFactory() {
        return outputFactory;
    }

    /** The encoder. It belongs to the extractor. */
    public OnnxEncoder encoder() {
        return encoder;
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ExtractorProvenance(this);
    }

    @Override
    public void close() {
        encoder.close();
    }

    /** Which encoder, by its content, which preprocessing, and every setting with where it is from. */
    public static final class ExtractorProvenance extends SkeletalConfiguredObjectProvenance {
        private static final long serialVersionUID = 1L;
        /** SHA-256 of the encoder file. */
        public static final String ENCODER_HASH = "encoder-sha256";
        /** The resize rule before the encoder. */
        public static final String PREPROCESSING = "preprocessing";

        /** The encoder's settings, as {@code name=value (source)}. */
        public static final String SETTINGS = "encoder-settings";

        private final StringProvenance hash;
        private final StringProvenance preprocessing;
        private final StringProvenance settings;

        <T extends Output<T>> ExtractorProvenance(SimCLRFeatureExtractor<T> host) {
            super(host, "FeatureExtractor");
            hash = new StringProvenance(ENCODER_HASH, host.encoder.sha256());
            preprocessing = new StringProvenance(PREPROCESSING, host.encoder.preprocessing().rule());
            settings = new StringProvenance(SETTINGS, host.encoder.settings().values().entrySet().stream()
                    .map(e -> e.getKey() + "=" + e.getValue().text() + " (" + e.getValue().source() + ")")
                    .collect(Collectors.joining(", ")));
        }

        /**
         * Deserialization constructor.
         *
         * @param map the provenances
         */
        public ExtractorProvenance(Map<String, Provenance> map) {
            this(extract(map));
        }

        private ExtractorProvenance(ExtractedInfo info) {
            super(info);
            hash = (StringProvenance) info.instanceValues.get(ENCODER_HASH);
            preprocessing = (StringProvenance) info.instanceValues.get(PREPROCESSING);
            settings = (StringProvenance) info.instanceValues.get(SETTINGS);
        }

        private static ExtractedInfo extract(Map<String, Provenance> map) {
            Map<String, Provenance> configured = new HashMap<>(map);
            String type = ExtractorProvenance.class.getSimpleName();
            String className = take(configured, CLASS_NAME, type).getValue();
            String hostName = take(configured, HOST_SHORT_NAME, type).getValue();
            Map<String, PrimitiveProvenance<?>> instance = new HashMap<>();
            instance.put(ENCODER_HASH, take(configured, ENCODER_HASH, type));
            instance.put(PREPROCESSING, take(configured, PREPROCESSING, type));
            // Models that were saved before it was there have none.
            instance.put(SETTINGS, configured.containsKey(SETTINGS)
                    ? take(configured, SETTINGS, type)
                    : new StringProvenance(SETTINGS, ""));
            return new ExtractedInfo(className, hostName, configured, instance);
        }

        private static StringProvenance take(Map<String, Provenance> map, String key, String type) {
            return ObjectProvenance.checkAndExtractProvenance(map, key, StringProvenance.class, type);
        }

        @Override
        public Map<String, PrimitiveProvenance<?>> getInstanceValues() {
            Map<String, PrimitiveProvenance<?>> map = super.getInstanceValues();
            map.put(hash.getKey(), hash);
            map.put(preprocessing.getKey(), preprocessing);
            map.put(settings.getKey(), settings);
            return map;
        }
    }
}
