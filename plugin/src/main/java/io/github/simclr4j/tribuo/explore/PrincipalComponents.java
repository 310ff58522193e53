// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

/** Computes the first two principal components by power iteration with deflation. */
final class PrincipalComponents {
    private static final int ROUNDS = 60;

    private PrincipalComponents() {}

    /**
     * Projects rows onto the first two principal components.
     *
     * @param rows the rows, [n, d]
     * @return the coordinates, [n, 2]; zeros for a component without variance
     */
    static float[][] two(float[][] rows) {
        int n = rows.length;
        int d = rows[0].length;
        double[] mean = new double[d];
        for (float[] row : rows) {
            for (int j = 0; j < d; j++) {
                mean[j] += (double) row[j] / n;
            }
        }
        float[][] out = new float[n][2];
        double[] first = direction(rows, mean, null, 0);
        double[] second = d > 1 ? direction(rows, mean, first, 1) : new double[d];
        for (int i = 0; i < n; i++) {
            out[i][0] = (float) along(rows[i], mean, first);
            out[i][1] = (float) along(rows[i], mean, second);
        }
        return out;
    }

    private static double along(float[] row, double[] mean, double[] direction) {
        double sum = 0;
        for (int j = 0; j < row.length; j++) {
            sum += (row[j] - mean[j]) * direction[j];
        }
        return sum;
    }

    /** Returns the direction of the largest variance, orthogonal to {@code other} unless that is null. */
    private static double[] direction(float[][] rows, double[] mean, double[] other, int salt) {
        int d = mean.length;
        double[] v = new double[d];
        for (int j = 0; j < d; j++) {
            // Any start works that is not orthogonal to the result.
            v[j] = Math.sin(1 + salt + 3.7 * j) + 0.1;
        }
        for (int round = 0; round < ROUNDS; round++) {
            Interruption.check();
            if (other != null) {
                double dot = 0;
                for (int j = 0; j < d; j++) {
                    dot += v[j] * other[j];
                }
                for (int j = 0; j < d; j++) {
                    v[j] -= dot * other[j];
                }
            }
            if (!normalise(v)) {
                return new double[d];
            }
            double[] next = new double[d];
            for (float[] row : rows) {
                double a = along(row, mean, v);
                for (int j = 0; j < d; j++) {
                    next[j] += a * (row[j] - mean[j]);
                }
            }
            v = next;
        }
        return normalise(v) ? v : new double[d];
    }

    private static boolean normalise(double[] v) {
        double squares = 0;
        for (double x : v) {
            squares += x * x;
        }
        double length = Math.sqrt(squares);
        for (int j = 0; j < v.length; j++) {
            v[j] = length < 1e-12 ? 0 : v[j] / length;
        }
        return length >= 1e-12;
    }
}
