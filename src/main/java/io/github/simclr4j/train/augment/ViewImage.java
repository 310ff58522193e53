package io.github.simclr4j.train.augment;

/**
 * An image on its way to a view, with the memory that changing it takes. It is square, RGB, three planes of values in [0, 1].
 * An object is reused for view after view; it belongs to one thread.
 *
 * <p>Cropping, resizing and a flip right after it are put off until somebody asks for the pixels, and then done at once.
 */
public final class ViewImage {
    private static final float[] LEVELS = new float[256];

    static {
        for (int i = 0; i < 256; i++) {
            LEVELS[i] = i / 255f;
        }
    }

    /** Pixels that are worked on at once, so that they stay in the fastest cache. */
    static final int BLOCK = 512;

    private final Resampler resampler = new Resampler();
    /** The image as it was given, until its values are needed. */
    private byte[] bytes;
    private int height;
    private int width;
    private int viewSide;
    private float[][] planes = new float[3][0];
    private float[][] spare = new float[3][0];
    private final float[][] block = new float[6][BLOCK];

    // The box that is still to be cut out, of an image with the side boxOf; 0 for none.
    private int boxOf;
    private int boxTop;
    private int boxLeft;
    private int boxHeight;
    private int boxWidth;
    private boolean mirror;
    private Interpolation interpolation;

    ViewImage() {}

    /** Begins with another image, uint8 [side, side, 3]. */
    void begin(byte[] pixels, int side, int sideOfTheView) {
        bytes = pixels;
        height = side;
        width = side;
        viewSide = sideOfTheView;
        boxOf = 0;
    }

    /** Begins with values, which are copied. Single operations work on rectangles too; views are made of squares. */
    void begin(float[][] values, int itsHeight, int itsWidth) {
        bytes = null;
        height = itsHeight;
        width = itsWidth;
        viewSide = itsWidth;
        boxOf = 0;
        planes = new float[][] {values[0].clone(), values[1].clone(), values[2].clone()};
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

    /** Returns how many pixels the image has. */
    public int pixels() {
        return height * width;
    }

    /** Returns the side in pixels that the view will have. */
    public int viewSide() {
        return viewSide;
    }

    /**
     * Returns the values: red, green and blue, row by row. The arrays may be longer than the image. They may be changed, and are
     * valid until the next call of a method that changes the image.
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
     * Returns three other arrays that have at least the length of those of the image. What is in them is undefined.
     *
     * @see #swap()
     */
    public float[][] spare() {
        planes();
        spare = reserve(spare, pixels());
        return spare;
    }

    /** Returns six arrays for some pixels of the image. */
    float[][] block() {
        return block;
    }

    /** Makes the image of what was written to {@link #spare}. */
    public void swap() {
        float[][] other = planes;
        planes = spare;
        spare = other;
    }

    /**
     * Cuts out a box and resizes it to the side of the view.
     *
     * @param row the first one of the box
     * @param column the first one of the box
     * @throws IllegalArgumentException if the box is empty or not inside of the image
     */
    public void crop(int row, int column, int rows, int columns, Interpolation how) {
        if (row < 0 || column < 0 || rows < 1 || columns < 1 || rows > height - row || columns > width - column) {
            throw new IllegalArgumentException("Expected a box inside of " + height + "x" + width + " pixels, found " + rows + "x"
                    + columns + " pixels from row " + row + " and column " + column + " on");
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

    /** Mirrors the image from left to right. */
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
