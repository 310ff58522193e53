// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

/**
 * An image that is being transformed to a view, with its buffers: square, RGB, three planes of values in [0, 1]. An instance is reusable
 * and belongs to one thread.
 *
 * <p>Cropping, resizing and a flip right after it are deferred until the pixels are read, and then done in one pass.
 *
 * @since 0.1.0
 */
public final class ViewImage {
    private static final float[] LEVELS = new float[256];

    static {
        for (int i = 0; i < 256; i++) {
            LEVELS[i] = i / 255f;
        }
    }

    /** Number of pixels that are processed at once, so that they stay in the L1 cache. */
    static final int BLOCK = 512;

    private final Resampler resampler = new Resampler();
    /** The original image, until its values are needed. */
    private byte[] bytes;

    private int height;
    private int width;
    private int viewSide;
    private float[][] planes = new float[3][0];
    private float[][] spare = new float[3][0];
    private final float[][] block = new float[6][BLOCK];

    // The deferred crop of an image with the side boxOf; 0 for none.
    private int boxOf;
    private int boxTop;
    private int boxLeft;
    private int boxHeight;
    private int boxWidth;
    private boolean mirror;
    private Interpolation interpolation;

    ViewImage() {}

    /** Begins with a new image, uint8 [side, side, 3]. */
    void begin(byte[] pixels, int side, int sideOfTheView) {
        bytes = pixels;
        height = side;
        width = side;
        viewSide = sideOfTheView;
        boxOf = 0;
    }

    /** Begins with values, which are copied. Unlike views, single operations also support rectangles. */
    void begin(float[][] values, int itsHeight, int itsWidth) {
        bytes = null;
        height = itsHeight;
        width = itsWidth;
        viewSide = itsWidth;
        boxOf = 0;
        planes = new float[][] {values[0].clone(), values[1].clone(), values[2].clone()};
    }

    /** Begins with a square of another image's values, which are copied. */
    void begin(float[][] values, int itsSide, int top, int left, int side) {
        bytes = null;
        height = side;
        width = side;
        viewSide = side;
        boxOf = 0;
        planes = reserve(planes, side * side);
        for (int c = 0; c < 3; c++) {
            for (int y = 0; y < side; y++) {
                System.arraycopy(values[c], (top + y) * itsSide + left, planes[c], y * side, side);
            }
        }
    }

    /** Returns the side of the image in pixels. */
    public int side() {
        return width;
    }

    int height() {
        return height;
    }

    int width() {
        return width;
    }

    /** Returns the number of pixels of the image. */
    public int pixels() {
        return height * width;
    }

    /** Returns the side of the finished view in pixels. */
    public int viewSide() {
        return viewSide;
    }

    /**
     * Returns the values as planes of red, green and blue, row by row.
     *
     * <p>The arrays may be longer than the image. They may be modified, and are valid until the next method that changes the image is
     * called.
     */
    public float[][] planes() {
        if (boxOf != 0) {
            cutOut();
        } else if (bytes != null) {
            convert();
        }
        return planes;
    }

    /**
     * Returns three buffers of at least the length of the image's planes, with undefined content.
     *
     * @see #swap()
     */
    public float[][] spare() {
        planes();
        spare = reserve(spare, pixels());
        return spare;
    }

    /** Returns six buffers for a block of pixels. */
    float[][] block() {
        return block;
    }

    /** Makes the content of {@link #spare} the image. */
    public void swap() {
        float[][] other = planes;
        planes = spare;
        spare = other;
    }

    /**
     * Crops a box and resizes it to the side of the view.
     *
     * @param row first row of the box
     * @param column first column of the box
     * @param rows height of the box, at least 1
     * @param columns width of the box, at least 1
     * @param how interpolation filter
     * @throws IllegalArgumentException if the box is empty or not inside the image
     */
    public void crop(int row, int column, int rows, int columns, Interpolation how) {
        if (row < 0 || column < 0 || rows < 1 || columns < 1 || rows > height - row || columns > width - column) {
            throw new IllegalArgumentException("Expected a box inside " + height + "x" + width + " pixels, found "
                    + rows + "x" + columns + " pixels from row " + row + " and column " + column);
        }
        if (boxOf != 0) {
            cutOut();
        }
        boxTop = row;
        boxLeft = column;
        boxHeight = rows;
        boxWidth = columns;
        interpolation = how;
        mirror = false;
        boxOf = width;
        height = viewSide;
        width = viewSide;
    }

    /** Flips the image horizontally. */
    public void flip() {
        if (boxOf != 0) {
            mirror = !mirror;
            return;
        }
        for (float[] plane : planes()) {
            for (int begin = 0; begin < pixels(); begin += width) {
                for (int i = begin, j = begin + width - 1; i < j; i++, j--) {
                    float value = plane[i];
                    plane[i] = plane[j];
                    plane[j] = value;
                }
            }
        }
    }

    private static float[][] reserve(float[][] planes, int pixels) {
        return planes[0].length >= pixels ? planes : new float[3][pixels];
    }

    private void cutOut() {
        spare = reserve(spare, pixels());
        Resampler.Rows rows = bytes == null ? this::readValues : this::readBytes;
        resampler.resize(rows, boxHeight, boxWidth, mirror, viewSide, interpolation, spare);
        swap();
        bytes = null;
        boxOf = 0;
    }

    private void readBytes(int row, float[] into) {
        int from = 3 * ((boxTop + row) * boxOf + boxLeft);
        byte[] in = bytes;
        for (int i = 0; i < 3 * boxWidth; i++) {
            into[i] = LEVELS[in[from + i] & 255];
        }
    }

    private void readValues(int row, float[] into) {
        int from = (boxTop + row) * boxOf + boxLeft;
        for (int c = 0; c < 3; c++) {
            for (int i = 0; i < boxWidth; i++) {
                into[3 * i + c] = planes[c][from + i];
            }
        }
    }

    private void convert() {
        planes = reserve(planes, pixels());
        for (int c = 0; c < 3; c++) {
            for (int i = 0; i < pixels(); i++) {
                planes[c][i] = LEVELS[bytes[3 * i + c] & 255];
            }
        }
        bytes = null;
    }
}
