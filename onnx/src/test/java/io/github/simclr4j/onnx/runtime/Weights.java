// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import io.github.simclr4j.onnx.network.ResNet;
import java.util.Random;
import java.util.function.Function;

/** Random weights of a network, always the same for the same name. */
public final class Weights {
    private Weights() {}

    public static Function<String, float[]> random(ResNet net) {
        return name -> {
            for (ResNet.Conv c : net.convolutions()) {
                boolean weight = name.equals(c.name() + ".weight");
                if (weight || name.startsWith(c.norm() + ".")) {
                    Random r = new Random(name.hashCode());
                    float[] v = new float[weight ? c.out() * c.in() * c.kernel() * c.kernel() : c.out()];
                    for (int i = 0; i < v.length; i++) {
                        v[i] = weight
                                ? 0.6f * r.nextFloat() - 0.3f
                                : (name.endsWith("var") ? 0.5f : -0.2f) + r.nextFloat();
                    }
                    return v;
                }
            }
            throw new AssertionError(name);
        };
    }
}
