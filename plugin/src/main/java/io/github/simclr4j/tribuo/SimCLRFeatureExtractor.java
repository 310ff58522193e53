package io.github.simclr4j.tribuo;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.ObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.PrimitiveProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.SkeletalConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.github.simclr4j.onnx.OnnxEncoder;
import io.github.simclr4j.onnx.Preprocessing;
import io.github.simclr4j.onnx.RgbImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
        this.outputFactory = outputFactory;
        this.encoderPath = encoderPath;
        this.threads = threads;
        postConfig();
    }

    /** Used by the OLCUT configuration system, and should not be called by external code. */
    @Override
    public void postConfig() {
        try {
            encoder = OnnxEncoder.open(encoderPath, threads);
        } catch (IOException e) {
            throw new PropertyException(e, "", "encoderPath", e.getMessage());
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

    /** Which encoder, by its content, and which preprocessing. */
    public static final class ExtractorProvenance extends SkeletalConfiguredObjectProvenance {
        private static final long serialVersionUID = 1L;
        /** SHA-256 of the encoder file. */
        public static final String ENCODER_HASH = "encoder-sha256";
        /** The resize rule before the encoder. */
        public static final String PREPROCESSING = "preprocessing";

        private final StringProvenance hash;
        private final StringProvenance preprocessing;

        <T extends Output<T>> ExtractorProvenance(SimCLRFeatureExtractor<T> host) {
            super(host, "FeatureExtractor");
            hash = new StringProvenance(ENCODER_HASH, host.encoder.sha256());
            preprocessing = new StringProvenance(PREPROCESSING, Preprocessing.RULE);
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
        }

        private static ExtractedInfo extract(Map<String, Provenance> map) {
            Map<String, Provenance> configured = new HashMap<>(map);
            String type = ExtractorProvenance.class.getSimpleName();
            String className = take(configured, CLASS_NAME, type).getValue();
            String hostName = take(configured, HOST_SHORT_NAME, type).getValue();
            Map<String, PrimitiveProvenance<?>> instance = new HashMap<>();
            instance.put(ENCODER_HASH, take(configured, ENCODER_HASH, type));
            instance.put(PREPROCESSING, take(configured, PREPROCESSING, type));
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
            return map;
        }
    }
}
