// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

/**
 * The k nearest images of each of m images, the nearest first. Ties are in the order of the set.
 *
 * @param images indices of the nearest images, [m, k]
 * @param similarities cosine similarities of their features, from -1 to 1, [m, k]
 * @since 0.1.0
 */
public record Nearest(int[][] images, float[][] similarities) {

    /** A heap of the k nearest images so far, with the farthest of them on top. */
    static final class Heap {
        private final float[] cosines;
        private final int[] images;
        private int size;

        Heap(int most) {
            cosines = new float[most];
            images = new int[most];
        }

        /** Offers {@code count} images, numbered from {@code first}, except one. */
        void offer(float[] found, int count, int first, int except) {
            if (cosines.length == 0) {
                return;
            }
            for (int i = 0; i < count; i++) {
                if ((size < cosines.length || found[i] > cosines[0]) && first + i != except) {
                    offer(found[i], first + i);
                }
            }
        }

        private void offer(float cosine, int image) {
            int i;
            if (size < cosines.length) {
                i = size++;
                while (i > 0 && nearer((i - 1) / 2, cosine, image)) {
                    set(i, cosines[(i - 1) / 2], images[(i - 1) / 2]);
                    i = (i - 1) / 2;
                }
            } else {
                i = 0;
                for (int child = 1; child < size; child = 2 * i + 1) {
                    if (child + 1 < size && nearer(child, cosines[child + 1], images[child + 1])) {
                        child++;
                    }
                    if (nearer(child, cosine, image)) {
                        break;
                    }
                    set(i, cosines[child], images[child]);
                    i = child;
                }
            }
            set(i, cosine, image);
        }

        /** Returns whether an entry is nearer than an image. Of equally near ones, the earlier counts as nearer. */
        private boolean nearer(int entry, float cosine, int image) {
            return cosines[entry] > cosine || cosines[entry] == cosine && images[entry] < image;
        }

        private void set(int i, float cosine, int image) {
            cosines[i] = cosine;
            images[i] = image;
        }

        /** Empties the heap into two rows, the nearest first. */
        void sorted(int[][] intoImages, float[][] intoCosines, int row) {
            intoImages[row] = new int[size];
            intoCosines[row] = new float[size];
            while (size > 0) {
                int last = size - 1;
                intoImages[row][last] = images[0];
                intoCosines[row][last] = cosines[0];
                float cosine = cosines[last];
                int image = images[last];
                size = last;
                int i = 0;
                for (int child = 1; child < size; child = 2 * i + 1) {
                    if (child + 1 < size && nearer(child, cosines[child + 1], images[child + 1])) {
                        child++;
                    }
                    if (nearer(child, cosine, image)) {
                        break;
                    }
                    set(i, cosines[child], images[child]);
                    i = child;
                }
                if (size > 0) {
                    set(i, cosine, image);
                }
            }
        }
    }
}
