// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;

/** Random weights of any network, with which activations keep about one scale. */
public final class RandomWeights {
    private RandomWeights() {}

    /** Returns the values of a weight by its name, always the same ones. */
    public static Function<String, float[]> of(LayerGraph network) {
        Map<String, float[]> values = new HashMap<>();
        for (Weight w : network.weights()) {
            Random random = new Random(w.name().hashCode());
            int out = w.shape().get(0);
            float[] v = new float[w.size()];
            for (int i = 0; i < v.length; i++) {
                double x = random.nextGaussian();
                v[i] = (float)
                        switch (w.kind()) {
                            case MATRIX -> x * Math.sqrt((double) out / v.length);
                            case SCALE -> 1 + 0.2 * x;
                            case TOKEN -> 0.5 * x;
                            case BIAS, SHIFT -> 0.1 * x;
                            case FIXED ->
                                w.name().endsWith("var")
                                        ? 0.5 + random.nextDouble()
                                        : w.name().endsWith("mean") ? 0.1 * x : 0;
                        };
            }
            values.put(w.name(), v);
        }
        return values::get;
    }
}
