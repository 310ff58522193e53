// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.onnx.network.ResNet;
import java.util.Random;
import java.util.function.Function;

/** Networks with random weights, and images, for tests. */
public final class Encoders {
    public static final ResNet TINY = new ResNet(18, 1.0 / 16, ResNet.Stem.CIFAR);

    private Encoders() {}

    /** Random weights with the sizes that an architecture and a head ask for; activations keep about one scale. */
    public static Function<String, float[]> weights(ResNet net, ProjectionHead head) {
        return name -> {
            for (ResNet.Conv c : net.convolutions()) {
                int fan = c.in() * c.kernel() * c.kernel();
                if (name.equals(c.name() + ".weight")) {
                    return normal(name, c.out() * fan, Math.sqrt(2.0 / fan));
                }
                if (name.startsWith(c.norm() + ".")) {
                    return norm(name, c.out());
                }
            }
            for (ProjectionHead.Layer l : head == null ? java.util.List.<ProjectionHead.Layer>of() : head.layers()) {
                if (name.equals(l.dense() + ".weight")) {
                    return normal(name, l.in() * l.out(), Math.sqrt(1.0 / l.in()));
                }
                if (name.equals(l.dense() + ".bias")) {
                    return normal(name, l.out(), 0.1);
                }
                if (l.norm() != null && name.startsWith(l.norm() + ".")) {
                    return norm(name, l.out());
                }
            }
            throw new AssertionError(name);
        };
    }

    private static float[] norm(String name, int n) {
        float[] v = normal(name, n, 0.1);
        if (name.endsWith("weight") || name.endsWith("var")) {
            for (int i = 0; i < n; i++) {
                v[i] = name.endsWith("var") ? 1 + Math.abs(v[i]) : 0.7f + v[i];
            }
        }
        return v;
    }

    private static float[] normal(String name, int n, double deviation) {
        Random r = new Random(name.hashCode());
        float[] v = new float[n];
        for (int i = 0; i < n; i++) {
            v[i] = (float) (r.nextGaussian() * deviation);
        }
        return v;
    }

    /** A smooth picture with a little noise. */
    public static RgbImage picture(int side, long seed) {
        Random r = new Random(seed);
        double[] a = r.doubles(9, 0.5, 4).toArray();
        byte[] b = new byte[side * side * 3];
        for (int i = 0; i < b.length; i++) {
            int c = i % 3;
            double x = i / 3 % side / (double) side;
            double y = i / 3 / side / (double) side;
            double v =
                    127 + 100 * Math.sin(a[c] * 3 * x + a[3 + c]) * Math.cos(a[6 + c] * 3 * y) + 8 * r.nextGaussian();
            b[i] = (byte) Math.max(0, Math.min(255, v));
        }
        return new RgbImage(side, side, b);
    }
}
