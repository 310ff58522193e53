// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

import io.github.simclr4j.tribuo.explore.Plane.Window;
import java.util.ArrayList;
import java.util.List;

/**
 * Decides whether one image is a copy of another that may have been re-encoded, resized, cropped or recoloured:
 *
 * <ol>
 *   <li>Find the window of one image that best matches the other, by the correlation of the luma. Windows have at least about 0.8 of
 *       the image's side. The search starts on a coarse grid at 16 x 16 pixels and is refined at 32 x 32.
 *   <li>Fit a linear mapping from the window's colours to those of the other image.
 *   <li>Compare the remaining differences with fixed bounds.
 * </ol>
 */
final class PixelComparison {
    private static final double[] SCALES = {0.94, 0.88, 0.82};
    private static final int POSITIONS = 3;
    private static final List<Window> GRID = grid();
    /** Minimum correlation of the coarse match, well below the bound of the final match. */
    private static final double COARSE = 0.8;
    /** Root mean square difference, in levels of 255, up to which images are copies even if they are too uniform to correlate. */
    private static final double SAME = 2.5;

    /**
     * The agreement of the pixels of two images.
     *
     * @param overall correlation of all pixels after the colours were fitted, 0 to 1
     * @param detail correlation of details finer than 3 pixels, -1 to 1
     */
    record Match(double overall, double detail) {
        static final Match NONE = new Match(0, 0);
        static final Match SAME = new Match(1, 1);

        /** The bounds were chosen on CIFAR-10's test images: they accept 99% of planted copies and few other pairs. */
        boolean isCopy() {
            return overall >= 0.93 && detail >= 0.72;
        }
    }

    private PixelComparison() {}

    private static List<Window> grid() {
        List<Window> all = new ArrayList<>(List.of(new Window(1, 0, 0)));
        for (double s : SCALES) {
            for (int y = 0; y < POSITIONS; y++) {
                for (int x = 0; x < POSITIONS; x++) {
                    all.add(new Window(s, (1 - s) * x / (POSITIONS - 1), (1 - s) * y / (POSITIONS - 1)));
                }
            }
        }
        return all;
    }

    /** Compares two thumbnails in both directions: either may be a crop of the other. */
    static Match compare(byte[] first, byte[] second) {
        if (difference(first, second) <= SAME) {
            return Match.SAME;
        }
        Plane a = Plane.rgb(first, Thumbnails.SIZE);
        Plane b = Plane.rgb(second, Thumbnails.SIZE);
        Coarse ab = Coarse.of(a.grey().half(), b.grey().half());
        Coarse ba = Coarse.of(b.grey().half(), a.grey().half());
        if (Math.max(ab.correlation(), ba.correlation()) < COARSE) {
            return Match.NONE;
        }
        return ab.correlation() >= ba.correlation() ? part(a, b, ab.window()) : part(b, a, ba.window());
    }

    /** The window of the coarse grid that best matches another image. */
    private record Coarse(Window window, double correlation) {
        static Coarse of(Plane whole, Plane part) {
            Coarse best = null;
            for (Window w : GRID) {
                double found = Plane.correlation(whole.window(w).channels()[0], part.channels()[0]);
                if (best == null || found > best.correlation()) {
                    best = new Coarse(w, found);
                }
            }
            return best;
        }
    }

    private static double difference(byte[] a, byte[] b) {
        double squares = 0;
        for (int i = 0; i < a.length; i++) {
            int d = (a[i] & 255) - (b[i] & 255);
            squares += d * d;
        }
        return Math.sqrt(squares / a.length);
    }

    private static Match part(Plane whole, Plane part, Window start) {
        Window fine = refine(whole.grey(), part.grey().channels()[0], start);
        return matched(whole.window(fine), part);
    }

    /** Improves a window by hill climbing, in steps of a pixel and less. */
    private static Window refine(Plane whole, float[] target, Window start) {
        Window best = start;
        double most = Plane.correlation(whole.window(best).channels()[0], target);
        for (double step = 0.025; step > 0.005; step /= 2) {
            for (boolean better = true; better; ) {
                better = false;
                for (Window w : around(best, step)) {
                    double found = Plane.correlation(whole.window(w).channels()[0], target);
                    if (found > most + 1e-4) {
                        most = found;
                        best = w;
                        better = true;
                    }
                }
            }
        }
        return best;
    }

    private static List<Window> around(Window w, double step) {
        List<Window> all = new ArrayList<>();
        double[][] moves = {{0, 1, 0}, {0, -1, 0}, {0, 0, 1}, {0, 0, -1}, {1, -0.5, -0.5}, {-1, 0.5, 0.5}};
        for (double[] m : moves) {
            double scale = Math.max(0.78, Math.min(1, w.scale() + m[0] * step));
            all.add(new Window(
                    scale,
                    Math.max(0, Math.min(1 - scale, w.x() + m[1] * step)),
                    Math.max(0, Math.min(1 - scale, w.y() + m[2] * step))));
        }
        return all;
    }

    /** Fits the colours of one image to those of the other, and correlates the two. */
    private static Match matched(Plane source, Plane target) {
        float[][] fitted = ColourFit.apply(source.channels(), target.channels());
        int n = target.size() * target.size();
        double total = 0;
        double rest = 0;
        for (int c = 0; c < 3; c++) {
            float[] t = target.channels()[c];
            double mean = 0;
            for (float v : t) {
                mean += v / n;
            }
            for (int i = 0; i < n; i++) {
                total += (t[i] - mean) * (t[i] - mean);
                rest += (double) (t[i] - fitted[c][i]) * (t[i] - fitted[c][i]);
            }
        }
        float[] seen = new Plane(target.size(), fitted).grey().channels()[0];
        float[] expected = target.grey().channels()[0];
        return new Match(
                total < 1 ? 0 : Math.sqrt(Math.max(0, 1 - rest / total)),
                Plane.correlation(Plane.detail(seen, target.size()), Plane.detail(expected, target.size())));
    }
}
