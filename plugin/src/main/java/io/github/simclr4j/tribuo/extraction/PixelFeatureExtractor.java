// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.extraction;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.tribuo.internal.ExampleNames;
import java.io.IOException;
import java.util.List;
import org.tribuo.Example;
import org.tribuo.Feature;
import org.tribuo.Output;
import org.tribuo.OutputFactory;

/**
 * Extracts the pixels themselves as features in [0, 1], the baseline for an encoder.
 *
 * @param <T> the output type
 * @since 0.1.0
 */
public class PixelFeatureExtractor<T extends Output<T>> implements ImageFeatureExtractor<T> {

    @Config(mandatory = true, description = "Output factory to use.")
    private OutputFactory<T> outputFactory;

    @Config(description = "Side length in pixels that images are resized to, 8 to 1024.")
    private int size = 32;

    private Preprocessing preprocessing;
    private String[] names;

    /** Required by OLCUT. */
    protected PixelFeatureExtractor() {}

    /**
     * Makes an extractor of {@code 3 * size * size} features.
     *
     * @param outputFactory the factory of outputs
     * @param size side length in pixels that images are resized to, 8 to 1024
     * @throws PropertyException if the size is out of range
     */
    public PixelFeatureExtractor(OutputFactory<T> outputFactory, int size) {
        this.outputFactory = outputFactory;
        this.size = size;
        postConfig();
    }

    /** Used by the OLCUT configuration system, and should not be called by external code. */
    @Override
    public void postConfig() {
        try {
            preprocessing = new Preprocessing(size);
        } catch (IllegalArgumentException e) {
            throw new PropertyException(e, "", "size", e.getMessage());
        }
        names = featureNames(size, size);
    }

    /**
     * Turns an example of pixels back into an image. Missing pixels are 0.
     *
     * @param example an example made by this class
     * @param width the image's width in pixels
     * @param height the image's height in pixels
     * @throws IllegalArgumentException if the example has no features, or if it has a feature that is not a pixel of an image of
     *     this size or not in [0, 1]
     */
    public static RgbImage image(Example<?> example, int width, int height) {
        byte[] rgb = new byte[3 * width * height];
        String last = Integer.toString(rgb.length - 1);
        if (example.size() == 0) {
            throw new IllegalArgumentException(ExampleNames.of(example) + " has no features");
        }
        for (Feature feature : example) {
            int at = index(feature.getName(), last.length());
            long value = Math.round(feature.getValue() * 255);
            if (at < 0 || at >= rgb.length || Double.isNaN(feature.getValue()) || value < 0 || value > 255) {
                throw new IllegalArgumentException("Expected the pixels p" + "0".repeat(last.length()) + " to p" + last
                        + " of an image of " + width + "x" + height + " with values from 0 to 1, found "
                        + feature.getName()
                        + " = " + feature.getValue() + " in " + ExampleNames.of(example));
            }
            rgb[at] = (byte) value;
        }
        return new RgbImage(width, height, rgb);
    }

    /** Returns the number in a name such as {@code p0123}, or -1. */
    private static int index(String name, int digits) {
        if (name.length() != digits + 1 || name.charAt(0) != 'p') {
            return -1;
        }
        int number = 0;
        for (int i = 1; i <= digits; i++) {
            int digit = name.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            number = 10 * number + digit;
        }
        return number;
    }

    /** Decodes and resizes an image file, so that no large image waits in memory for its batch. */
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

    /**
     * Returns the names of an image's pixel values: red, green and blue of each pixel, row by row, {@code p0000} and so on.
     *
     * @param width the image's width in pixels
     * @param height the image's height in pixels
     * @return {@code 3 * width * height} names
     */
    public static String[] featureNames(int width, int height) {
        return ImageFeatureExtractor.names("p", 3 * width * height);
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
