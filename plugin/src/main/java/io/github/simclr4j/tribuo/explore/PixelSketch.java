// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

/**
 * A small descriptor that copies of an image nearly share: its luma at 8 x 8 pixels minus the mean. After normalisation to length 1
 * it is invariant to brightness and contrast.
 */
final class PixelSketch {
    private PixelSketch() {}

    /** Returns the sketch of a thumbnail, [64]. */
    static float[] of(byte[] thumbnail) {
        float[] luma = Plane.rgb(thumbnail, Thumbnails.SIZE)
                .grey()
                .half()
                .half()
                .channels()[0]
                .clone();
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
