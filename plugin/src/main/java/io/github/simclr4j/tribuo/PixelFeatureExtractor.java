package io.github.simclr4j.tribuo;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.github.simclr4j.onnx.Images;
import io.github.simclr4j.onnx.Preprocessing;
import io.github.simclr4j.onnx.RgbImage;
import java.io.IOException;
import java.util.List;
import org.tribuo.Output;
import org.tribuo.OutputFactory;

/**
 * The pixels themselves as features, in [0, 1]: what an encoder has to beat.
 *
 * @param <T> the output type
 */
public final class PixelFeatureExtractor<T extends Output<T>> implements ImageFeatureExtractor<T> {

    @Config(mandatory = true, description = "Output factory to use.")
    private OutputFactory<T> outputFactory;

    @Config(description = "Side in pixels that images are resized to.")
    private int size = 32;

    private Preprocessing preprocessing;
    private String[] names;

    /** For OLCUT. */
    private PixelFeatureExtractor() {}

    /**
     * Makes an extractor of {@code 3 * size * size} features.
     *
     * @param outputFactory what makes outputs
     * @param size side in pixels that images are resized to
     */
    public PixelFeatureExtractor(OutputFactory<T> outputFactory, int size) {
        this.outputFactory = outputFactory;
        this.size = size;
        postConfig();
    }

    /** Used by the OLCUT configuration system, and should not be called by external code. */
    @Override
    public void postConfig() {
        preprocessing = new Preprocessing(size);
        names = ImageFeatureExtractor.names("p", 3 * size * size);
    }

    /** Resizes too, so that large images don't wait in memory for their batch. */
    @Override
    public PreparedImage prepare(byte[] file) throws IOException {
        return prepare(Images.read(file));
    }

    @Override
    public PreparedImage prepare(RgbImage image) {
        return new PreparedImage(preprocessing.apply(image), null, null, 0, 0);
    }

    @Override
    public double[][] encode(List<PreparedImage> images) {
        double[][] features = new double[images.size()][names.length];
        for (int i = 0; i < features.length; i++) {
            byte[] rgb = images.get(i).pixels.rgb();
            for (int j = 0; j < rgb.length; j++) {
                features[i][j] = (rgb[j] & 255) / 255.0;
            }
        }
        return features;
    }

    @Override
    public double[][] features(List<RgbImage> images) {
        return encode(images.stream().map(this::prepare).toList());
    }

    @Override
    public String[] featureNames() {
        return names;
    }

    @Override
    public OutputFactory<T> getOutputFactory() {
        return outputFactory;
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "FeatureExtractor");
    }

    @Override
    public void close() {}
}
