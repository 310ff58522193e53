// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.extraction;

import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenancable;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.tribuo.internal.ImageFiles;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.tribuo.Example;
import org.tribuo.Output;
import org.tribuo.OutputFactory;
import org.tribuo.impl.ArrayExample;

/**
 * Turns images into dense Tribuo examples. A feature name is a letter and a zero-padded number, so that Tribuo's alphabetical order
 * of the features is their numeric order. Features that are 0 are kept.
 *
 * <p>Extraction has two steps, so that data sources can run the first ahead of the second. {@link #prepare} decodes and resizes an
 * image, in any thread. {@link #encode} computes the features of a batch. The other methods do both.
 *
 * @param <T> the output type
 * @since 0.1.0
 */
public interface ImageFeatureExtractor<T extends Output<T>>
        extends Configurable, Provenancable<ConfiguredObjectProvenance>, AutoCloseable {

    /**
     * Computes the features of images.
     *
     * @param images images of any size
     * @return the features, [images, {@link #dimension()}]
     */
    double[][] features(List<RgbImage> images);

    /**
     * Returns the feature names.
     *
     * @return {@link #dimension()} names in order; callers must not modify the array
     */
    String[] featureNames();

    /** Returns the factory of outputs, including the unknown output. */
    OutputFactory<T> getOutputFactory();

    /** Returns the length of a feature vector. */
    default int dimension() {
        return featureNames().length;
    }

    /**
     * Decodes and prepares an image file. Thread-safe.
     *
     * @param file the bytes of the image file
     * @return the prepared image, for this extractor's {@link #encode}
     * @throws IOException if the bytes are not a complete image in a supported format
     */
    default PreparedImage prepare(byte[] file) throws IOException {
        long start = System.nanoTime();
        RgbImage image = Images.read(file);
        return new PreparedImage(image, null, null, System.nanoTime() - start, 0);
    }

    /**
     * Prepares a decoded image. Thread-safe.
     *
     * @param image an image of any size
     * @return the prepared image, for this extractor's {@link #encode}
     */
    default PreparedImage prepare(RgbImage image) {
        return new PreparedImage(image, null, null, 0, 0);
    }

    /**
     * Computes the features of prepared images.
     *
     * @param images images prepared by this extractor
     * @return the features, [images, {@link #dimension()}]
     */
    default double[][] encode(List<PreparedImage> images) {
        return features(images.stream().map(p -> p.pixels).toList());
    }

    /**
     * Computes the features of images as floats.
     *
     * @param images images of any size
     * @return the features, [images, {@link #dimension()}]
     */
    default float[][] floatFeatures(List<RgbImage> images) {
        double[][] features = features(images);
        float[][] floats = new float[features.length][dimension()];
        for (int i = 0; i < floats.length; i++) {
            for (int j = 0; j < floats[i].length; j++) {
                floats[i][j] = (float) features[i][j];
            }
        }
        return floats;
    }

    /**
     * Makes an example from an image file. Its {@link Example#NAME} is the path.
     *
     * @param file the image file
     * @param output the output of the example
     * @throws IOException if the file can't be read or is not a complete image; the message names the file
     */
    default Example<T> extract(Path file, T output) throws IOException {
        Example<T> example;
        try {
            example = extract(ImageFiles.read(file), output);
        } catch (IOException e) {
            throw new IOException(file + ": " + ImageFiles.reason(e), e);
        }
        example.setMetadataValue(Example.NAME, file.toString());
        return example;
    }

    /** Makes an example with the unknown output; see {@link #extract(Path, Output)}. */
    default Example<T> extract(Path file) throws IOException {
        return extract(file, getOutputFactory().getUnknownOutput());
    }

    /**
     * Makes an example from the bytes of an image file.
     *
     * @param file the bytes of the image file
     * @param output the output of the example
     * @throws IOException if the bytes are not a complete image in a supported format
     */
    default Example<T> extract(byte[] file, T output) throws IOException {
        return new ArrayExample<>(output, featureNames(), encode(List.of(prepare(file)))[0]);
    }

    /** Makes an example with the unknown output; see {@link #extract(byte[], Output)}. */
    default Example<T> extract(byte[] file) throws IOException {
        return extract(file, getOutputFactory().getUnknownOutput());
    }

    /**
     * Makes an example from a stream that contains one image file.
     *
     * @param stream the stream; it is read to its end, and the caller closes it
     * @param output the output of the example
     * @throws IOException if the stream can't be read or does not contain a complete image
     */
    default Example<T> extract(InputStream stream, T output) throws IOException {
        return extract(stream.readAllBytes(), output);
    }

    /** Makes an example with the unknown output; see {@link #extract(InputStream, Output)}. */
    default Example<T> extract(InputStream stream) throws IOException {
        return extract(stream, getOutputFactory().getUnknownOutput());
    }

    /**
     * Makes an example from a decoded image.
     *
     * @param image the image
     * @param output the output of the example
     */
    default Example<T> extract(BufferedImage image, T output) {
        return extract(List.of(Images.of(image)), List.of(output)).get(0);
    }

    /** Makes an example with the unknown output; see {@link #extract(BufferedImage, Output)}. */
    default Example<T> extract(BufferedImage image) {
        return extract(image, getOutputFactory().getUnknownOutput());
    }

    /**
     * Makes one example per image, encoding all of them together.
     *
     * @param images images of any size
     * @param outputs the output of each image
     * @return the examples, in the order of the images
     * @throws IllegalArgumentException if the numbers of images and outputs differ
     */
    default List<Example<T>> extract(List<RgbImage> images, List<T> outputs) {
        if (images.size() != outputs.size()) {
            throw new IllegalArgumentException("Expected one output per image, found " + outputs.size()
                    + " outputs for " + images.size() + " images");
        }
        double[][] features = features(images);
        List<Example<T>> examples = new ArrayList<>(images.size());
        for (int i = 0; i < features.length; i++) {
            examples.add(new ArrayExample<>(outputs.get(i), featureNames(), features[i]));
        }
        return examples;
    }

    /**
     * Returns feature names such as {@code h000}.
     *
     * @param letter the letter that each name starts with
     * @param dimension the number of names
     * @return the names, with numbers from 0 that are padded to the same length
     */
    static String[] names(String letter, int dimension) {
        String format = letter + "%0" + Integer.toString(dimension - 1).length() + "d";
        String[] names = new String[dimension];
        for (int i = 0; i < dimension; i++) {
            names[i] = String.format(Locale.ROOT, format, i);
        }
        return names;
    }

    @Override
    void close();
}
