package io.github.simclr4j.tribuo.explore;

/**
 * A few numbers that copies of an image have nearly in common: its luma at 8 x 8 pixels, less the mean. Divided by its length it
 * changes neither with brightness nor with contrast.
 */
final class PixelSketch {
    private PixelSketch() {}

    /** Sketches a thumbnail, [64]. */
    static float[] of(byte[] thumbnail) {
        float[] luma = Plane.rgb(thumbnail, Thumbnails.SIZE).grey().half().half().channels()[0].clone();
        float mean = 0;
        for (float v : luma) {
            mean += v / luma.length;
        }
        for (int i = 0; i < luma.length; i++) {
            luma[i] -= mean;
        }
        return luma;
    }
}
