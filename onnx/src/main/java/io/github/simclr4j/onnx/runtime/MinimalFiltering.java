// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import java.util.ArrayList;
import java.util.List;

/**
 * Convolutions of feature maps that are split into lines: minimal filtering F(2, 3) and F(4, 3) along the rows
 * (<a href="https://arxiv.org/abs/1509.09308">Lavin and Gray, CVPR 2016</a>, section 4), and convolutions of stride 2. The arguments
 * are the name of the weights, the name of the bias or null, the number of filters, the lines, and lines to add to the result or null.
 */
final class MinimalFiltering {
    private final LineBuilder builder;

    MinimalFiltering(LineBuilder builder) {
        this.builder = builder;
    }

    /** Computes F(2, 3) along the rows. */
    List<Line> two(String w, String bias, int filters, List<Line> x, List<Line> more) {
        Line even = x.get(0);
        Line odd = x.get(1);
        int n = even.rows();
        Line t0 = builder.depthwise(odd, 1, n, 1, null, 1, -1);
        Line t1 = builder.plus(odd, 1, even, n);
        Line t2 = builder.plus(odd, -1, even, n);
        Line t3 = builder.depthwise(even, 0, odd.rows(), 1, null, -1, 1);
        Line m1 = builder.convolve(t1, w, bias, filters, 3, 1, null, 0.5, 0.5, 0.5);
        Line m2 = builder.convolve(t2, w, null, filters, 3, 1, null, -0.5, 0.5, -0.5);
        Line upper = with(more, 0, builder.add(m1, m2));
        Line lower = builder.plus(m2, -1, with(more, 1, builder.fit(m1, odd.rows())), odd.rows());
        return List.of(
                builder.convolve(t0, w, null, filters, 3, 1, upper, 1, 0, 0),
                builder.convolve(t3, w, null, filters, 3, 1, lower, 0, 0, 1));
    }

    /** Computes F(4, 3) along the rows. */
    List<Line> four(String w, String bias, int filters, List<Line> x, List<Line> more) {
        int n = x.get(0).rows();
        int last = x.get(3).rows();
        List<Line> d = x.stream().map(l -> builder.fit(l, n)).toList();
        // Where d(i) is the row above line i, the rows of B^T d are
        // 4 d0 - 5 d2 + d4; a + b; a - b; c + 2e; c - 2e; 4 d1 - 5 d3 + d5.
        Line a = builder.plus(d.get(1), -4, d.get(3), n);
        Line b = builder.plus(d.get(0), -4, d.get(2), n);
        Line c = builder.plus(d.get(1), -1, d.get(3), n);
        Line e = builder.plus(d.get(0), -1, d.get(2), n);
        Line t0 = builder.plus(d.get(1), -5, builder.depthwise(d.get(3), 1, n, 1, null, 4, 1), n);
        Line t1 = builder.add(a, b);
        Line t2 = builder.plus(b, -1, a, n);
        Line t3 = builder.plus(e, 2, c, n);
        Line t4 = builder.plus(e, -2, c, n);
        Line t5 = builder.plus(d.get(2), -5, builder.depthwise(d.get(0), 0, last, 1, null, 4, 1), last);
        Line m1 = builder.convolve(t1, w, bias, filters, 3, 1, null, -1 / 6.0, -1 / 6.0, -1 / 6.0);
        Line m2 = builder.convolve(t2, w, null, filters, 3, 1, null, -1 / 6.0, 1 / 6.0, -1 / 6.0);
        Line m3 = builder.convolve(t3, w, null, filters, 3, 1, null, 1 / 24.0, 1 / 12.0, 1 / 6.0);
        Line m4 = builder.convolve(t4, w, null, filters, 3, 1, null, 1 / 24.0, -1 / 12.0, 1 / 6.0);
        // The rows of A^T m are m0 + s + t; u + 2v; s + 4t; u + 8v + m5.
        Line s = builder.add(m1, m2);
        Line t = builder.add(m3, m4);
        Line u = builder.plus(m2, -1, m1, n);
        Line v = builder.plus(m4, -1, m3, n);
        Line y0 = builder.convolve(t0, w, null, filters, 3, 1, with(more, 0, builder.add(s, t)), 0.25, 0, 0);
        Line y1 = builder.plus(
                v, 2, with(more, 1, builder.fit(u, x.get(1).rows())), x.get(1).rows());
        Line y2 = builder.plus(
                t, 4, with(more, 2, builder.fit(s, x.get(2).rows())), x.get(2).rows());
        Line sum = builder.plus(v, 8, with(more, 3, builder.fit(u, last)), last);
        Line y3 = builder.convolve(t5, w, null, filters, 3, 1, sum, 0, 0, 1);
        return List.of(y0, y1, y2, y3);
    }

    private Line with(List<Line> more, int j, Line line) {
        return more == null ? line : builder.add(line, more.get(j));
    }

    /** Computes a 1x1 or 3x3 convolution of stride 2, from p lines to p / 2; a single line is the whole map. */
    List<Line> everySecond(String w, String bias, int kernel, List<Line> x, int[] out) {
        int p = x.size();
        List<Line> result = new ArrayList<>();
        for (int q = 0; q < p / 2; q++) {
            int rows = Line.rows(out[1], p / 2, q);
            if (kernel == 1) {
                result.add(builder.convolve(x.get(2 * q), w, bias, out[0], 1, 2, null, 1));
                continue;
            }
            // Uses rows 2q - 1, 2q and 2q + 1; for q = 0 the first of these is in the last line, one row above.
            Line sum = null;
            for (int d : new int[] {1, 2, 0}) {
                int row = 2 * q - 1 + d;
                Line l = row < 0 ? builder.depthwise(x.get(p - 1), 1, rows, 1, null, 1) : builder.fit(x.get(row), rows);
                sum = builder.convolve(
                        l, w, d == 1 ? bias : null, out[0], 3, 2, sum, d == 0 ? 1 : 0, d == 1 ? 1 : 0, d == 2 ? 1 : 0);
            }
            result.add(sum);
        }
        return result;
    }
}
