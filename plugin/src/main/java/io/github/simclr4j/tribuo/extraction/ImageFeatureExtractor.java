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
 * Turns images into dense examples. Feature names are one letter and a zero-padded number, so that their order as text,
 * which is Tribuo's, is their order as numbers. Zeros are kept: the examples are dense.
 *
 * <p>The work has two halves, so that data sources can do the first ahead of the second: {@link #prepare} decodes and resizes
 * an image, in any thread, and {@link #encode} makes features of a batch. The other methods do both at once.
 *
 * @param <T> the output type
 */
public interface ImageFeatureExtractor<T extends Output<T>>
        extends Configurable, Provenancable<ConfiguredObjectProvenance>, AutoCloseable {

    /** The features of some images of any size, [images, {@link #dimension()}]. */
    double[][] features(List<RgbImage> images);

    /** The feature names, in order. The array must not be changed. */
    String[] featureNames();

    /** What makes outputs, the unknown one included. */
    OutputFactory<T> getOutputFactory();

    /** The number of features. */
    default int dimension() {
        return featureNames().length;
    }

    /**
     * Prepares the bytes of an image file. May be called by several threads at once.
     *
     * @throws IOException if they are no whole image
     */
    default PreparedImage prepare(byte[] file) throws IOException {
        long start = System.nanoTime();
        RgbImage image = Images.read(file);
        return new PreparedImage(image, null, null, System.nanoTime() - start, 0);
    }

    /** Prepares a decoded image. May be called by several threads at once. */
    default PreparedImage prepare(RgbImage image) {
        return new PreparedImage(image, null, null, 0, 0);
    }

    /** The features of images that this extractor prepared, [images, {@link #dimension()}]. */
    default double[][] encode(List<PreparedImage> images) {
        return features(images.stream().map(p -> p.pixels).toList());
    }

    /** The features of some images of any size as floats, [images, {@link #dimension()}]. */
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
     * An example from an image file; its {@link Example#NAME} is the path.
     *
     * @throws IOException if the file can't be read or is no whole image; the message names it
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

    /** An example with the unknown output; see {@link #extract(Path, Output)}. */
    default Example<T> extract(Path file) throws IOException {
        return extract(file, getOutputFactory().getUnknownOutput());
    }

    /**
     * An example from the bytes of an image file.
     *
     * @throws IOException if they are no whole image
     */
    default Example<T> extract(byte[] file, T output) throws IOException {
        return new ArrayExample<>(output, featureNames(), encode(List.of(prepare(file)))[0]);
    }

    /** An example with the unknown output; see {@link #extract(byte[], Output)}. */
    default Example<T> extract(byte[] file) throws IOException {
        return extract(file, getOutputFactory().getUnknownOutput());
    }

    /**
     * An example from a stream that holds one image file. It is read to its end and stays the caller's to close.
     *
     * @throws IOException if it can't be read or holds no whole image
     */
    default Example<T> extract(InputStream stream, T output) throws IOException {
        return extract(stream.readAllBytes(), output);
    }

    /** An example with the unknown output; see {@link #extract(InputStream, Output)}. */
    default Example<T> extract(InputStream stream) throws IOException {
        return extract(stream, getOutputFactory().getUnknownOutput());
    }

    /** An example from a decoded image. */
    default Example<T> extract(BufferedImage image, T output) {
        return extract(List.of(Images.of(image)), List.of(output)).get(0);
    }

    /** An example with the unknown output; see {@link #extract(BufferedImage, Output)}. */
    default Example<T> extract(BufferedImage image) {
        return extract(image, getOutputFactory().getUnknownOutput());
    }

    /**
     * An example an image, all in one call.
     *
     * @throws IllegalArgumentException if there are not as many outputs as images
     */
    default List<Example<T>> extract(List<RgbImage> images, List<T> outputs) {
        if (images.size() != outputs.size()) {
            throw new IllegalArgumentException(
                    "Expected an output an image, found " + outputs.size() + " for " + images.size());
        }
        double[][] features = features(images);
        List<Example<T>> examples = new ArrayList<>(images.size());
        for (int i = 0; i < features.length; i++) {
            examples.add(new ArrayExample<>(outputs.get(i), featureNames(), features[i]));
        }
        return examples;
    }

    /** Names {@code letter000} and so on. */
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
