// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

import java.util.ArrayList;
import java.util.List;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Feature;
import org.tribuo.Output;

/**
 * The features of images by one encoder, with rows normalised to length 1. Immutable.
 *
 * @since 0.1.0
 */
public final class Features {
    private final String encoder;
    private final List<String> names;
    private final float[][] rows;

    /**
     * Copies and normalises features.
     *
     * @param encoder identifies the encoder, such as the SHA-256 of its file
     * @param names names of the n images
     * @param rows their features, [n, d]
     * @throws IllegalArgumentException if there is no image, if the numbers of names and rows differ, if the rows differ in length
     *     (as those of different encoders do), or if a feature is not finite
     */
    public Features(String encoder, List<String> names, float[][] rows) {
        if (rows.length == 0 || names.size() != rows.length) {
            throw new IllegalArgumentException("Expected the features of at least one image and a name for each, found "
                    + rows.length + " rows and " + names.size() + " names");
        }
        this.encoder = encoder;
        this.names = List.copyOf(names);
        this.rows = new float[rows.length][];
        for (int i = 0; i < rows.length; i++) {
            if (rows[i].length != rows[0].length) {
                throw new IllegalArgumentException("Features of different encoders are mixed: " + names.get(0) + " has "
                        + rows[0].length + " and " + names.get(i) + " has " + rows[i].length
                        + "; make all of them with one encoder");
            }
            this.rows[i] = unit(rows[i], names.get(i));
        }
    }

    /**
     * Copies the features of a Tribuo dataset. The names of the images are their {@link Example#NAME}.
     *
     * @param <T> the output type
     * @param encoder identifies the encoder, such as the SHA-256 of its file
     * @param dataset the features
     */
    public static <T extends Output<T>> Features of(String encoder, Dataset<T> dataset) {
        List<String> names = new ArrayList<>(dataset.size());
        float[][] rows = new float[dataset.size()][];
        for (int i = 0; i < rows.length; i++) {
            names.add(name(dataset.getExample(i), i));
            rows[i] = row(dataset.getExample(i));
        }
        return new Features(encoder, names, rows);
    }

    static String name(Example<?> example, int number) {
        return example.getMetadataValue(Example.NAME).map(Object::toString).orElse("example " + number);
    }

    static float[] row(Example<?> example) {
        float[] row = new float[example.size()];
        int j = 0;
        for (Feature f : example) {
            row[j++] = (float) f.getValue();
        }
        return row;
    }

    /** Normalises a row. A row of zeros stays as it is: its cosine with every row is 0. */
    private static float[] unit(float[] row, String name) {
        double squares = 0;
        for (float x : row) {
            squares += (double) x * x;
        }
        if (!Double.isFinite(squares)) {
            throw new IllegalArgumentException(name + ": a feature is not a finite number");
        }
        float[] unit = new float[row.length];
        for (int j = 0; j < row.length; j++) {
            unit[j] = squares == 0 ? 0 : (float) (row[j] / Math.sqrt(squares));
        }
        return unit;
    }

    /** Returns the number of images, at least 1. */
    public int size() {
        return rows.length;
    }

    /** Returns the length of a feature vector. */
    public int dimension() {
        return rows[0].length;
    }

    /** Returns the text that identifies the encoder. */
    public String encoder() {
        return encoder;
    }

    /** Returns the name of an image. */
    public String name(int image) {
        return names.get(image);
    }

    /** Returns the names of all images, in order. */
    public List<String> names() {
        return names;
    }

    /** Returns the rows without copying them, [n, d]; callers must not modify them. */
    float[][] rows() {
        return rows;
    }

    /** Returns the cosine of the angle between the features of two images, from -1 to 1. */
    public double cosine(int first, int second) {
        return dot(rows[first], rows[second]);
    }

    static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int j = 0; j < a.length; j++) {
            sum += (double) a[j] * b[j];
        }
        return Math.max(-1, Math.min(1, sum));
    }

    /**
     * Checks that features can be compared with these.
     *
     * @throws IllegalArgumentException if they come from another encoder
     */
    void comparable(Features other) {
        if (!encoder.equals(other.encoder) || dimension() != other.dimension()) {
            throw new IllegalArgumentException("The features of " + name(0) + " and " + other.name(0)
                    + " come from different encoders and can't be compared; make all of them with one encoder");
        }
    }
}
