// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

/** Maps the colours of one image to those of another: fits each channel as a linear function of all three by least squares. */
final class ColourFit {
    /** Added to the variances, because the channels of grey images are equal and the system would be singular. */
    private static final double RIDGE = 1e-2;

    private ColourFit() {}

    /**
     * Fits the mapping and applies it.
     *
     * @param source channels of the first image, [3][n]
     * @param target channels of the second image, [3][n]
     * @return the source in the colours of the target, [3][n]
     */
    static float[][] apply(float[][] source, float[][] target) {
        int n = source[0].length;
        double[] meanS = means(source);
        double[] meanT = means(target);
        double[][] within = new double[3][3];
        double[][] across = new double[3][3];
        for (int i = 0; i < n; i++) {
            for (int a = 0; a < 3; a++) {
                double s = source[a][i] - meanS[a];
                for (int b = 0; b < 3; b++) {
                    within[a][b] += s * (source[b][i] - meanS[b]) / n;
                    across[a][b] += s * (target[b][i] - meanT[b]) / n;
                }
            }
        }
        for (int a = 0; a < 3; a++) {
            within[a][a] += RIDGE;
        }
        solve(within, across);
        float[][] out = new float[3][n];
        for (int c = 0; c < 3; c++) {
            for (int i = 0; i < n; i++) {
                double v = meanT[c];
                for (int a = 0; a < 3; a++) {
                    v += across[a][c] * (source[a][i] - meanS[a]);
                }
                out[c][i] = (float) v;
            }
        }
        return out;
    }

    private static double[] means(float[][] channels) {
        double[] means = new double[channels.length];
        for (int c = 0; c < means.length; c++) {
            for (float v : channels[c]) {
                means[c] += (double) v / channels[c].length;
            }
        }
        return means;
    }

    /** Solves a positive definite system by Gauss-Jordan elimination; the right-hand side becomes the solution. */
    private static void solve(double[][] a, double[][] b) {
        for (int p = 0; p < 3; p++) {
            for (int r = 0; r < 3; r++) {
                if (r != p) {
                    double f = a[r][p] / a[p][p];
                    for (int c = 0; c < 3; c++) {
                        a[r][c] -= f * a[p][c];
                        b[r][c] -= f * b[p][c];
                    }
                }
            }
        }
        for (int p = 0; p < 3; p++) {
            for (int c = 0; c < 3; c++) {
                b[p][c] /= a[p][p];
            }
        }
    }
}
