// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Computes the shape of a layer's result from the shapes of its inputs, all without the batch axis. */
final class LayerShapes {
    private LayerShapes() {}

    /**
     * Returns the shape of the result.
     *
     * @throws IllegalArgumentException if the layer does not fit the inputs
     */
    static List<Integer> of(Layer layer, List<List<Integer>> in) {
        // Pattern matching in switch is available only from Java 21.
        if (layer instanceof Layer.Input l) {
            return List.of(l.channels(), l.height(), l.width());
        } else if (layer instanceof Layer.Learned l) {
            return l.shape();
        } else if (layer instanceof Layer.Conv l) {
            List<Integer> x = only(layer, in, 3, 0, l.in());
            if (l.in() % l.groups() != 0 || l.out() % l.groups() != 0) {
                throw wrong(layer, in);
            }
            return List.of(
                    l.out(),
                    window(layer, in, x.get(1), l.kernel(), l.stride(), l.padding()),
                    window(layer, in, x.get(2), l.kernel(), l.stride(), l.padding()));
        } else if (layer instanceof Layer.BatchNorm l) {
            int axes = in.size() == 1 ? in.get(0).size() : 0;
            return only(layer, in, axes == 1 ? 1 : 3, 0, l.channels());
        } else if (layer instanceof Layer.GroupNorm l) {
            return only(layer, in, 3, 0, l.channels());
        } else if (layer instanceof Layer.LayerNorm l) {
            return last(layer, in, l.size());
        } else if (layer instanceof Layer.Dense l) {
            List<Integer> shape = new ArrayList<>(last(layer, in, l.in()));
            shape.set(shape.size() - 1, l.out());
            return shape;
        } else if (layer instanceof Layer.Activation
                || layer instanceof Layer.Scale
                || layer instanceof Layer.Softmax) {
            return one(layer, in);
        } else if (layer instanceof Layer.MaxPool l) {
            return pooled(layer, in, l.kernel(), l.stride(), l.padding());
        } else if (layer instanceof Layer.AveragePool l) {
            return pooled(layer, in, l.kernel(), l.stride(), 0);
        } else if (layer instanceof Layer.GlobalAveragePool l) {
            int channels = axes(layer, in, 3).get(0);
            return l.keepAxes() ? List.of(channels, 1, 1) : List.of(channels);
        } else if (layer instanceof Layer.Mean l) {
            List<Integer> shape = new ArrayList<>(one(layer, in));
            shape.remove(l.axis());
            return shape;
        } else if (layer instanceof Layer.Add || layer instanceof Layer.Multiply) {
            return broadcast(layer, in);
        } else if (layer instanceof Layer.Concat l) {
            return concat(l, in);
        } else if (layer instanceof Layer.Reshape l) {
            if (product(one(layer, in)) != product(l.shape())) {
                throw wrong(layer, in);
            }
            return l.shape();
        } else if (layer instanceof Layer.Transpose l) {
            List<Integer> x = one(layer, in);
            if (!l.order().stream()
                    .sorted()
                    .toList()
                    .equals(IntStream.range(0, x.size()).boxed().toList())) {
                throw wrong(layer, in);
            }
            return l.order().stream().map(x::get).toList();
        } else if (layer instanceof Layer.Slice l) {
            List<Integer> shape = new ArrayList<>(one(layer, in));
            if (l.from() < 0 || l.from() >= l.to() || l.to() > shape.get(l.axis())) {
                throw wrong(layer, in);
            }
            shape.set(l.axis(), l.to() - l.from());
            return shape;
        } else if (layer instanceof Layer.MatMul) {
            return product(layer, in);
        } else if (layer instanceof Layer.Pad l) {
            List<Integer> shape = new ArrayList<>(one(layer, in));
            if (l.before() < 0 || l.after() < 0 || l.axis() >= shape.size()) {
                throw wrong(layer, in);
            }
            shape.set(l.axis(), shape.get(l.axis()) + l.before() + l.after());
            return shape;
        } else if (layer instanceof Layer.Patches l) {
            List<Integer> x = axes(layer, in, 3);
            if (x.get(1) < l.side() || x.get(2) < l.side()) {
                throw wrong(layer, in);
            }
            return List.of(l.along(x.get(1)) * l.along(x.get(2)), x.get(0), l.side(), l.side());
        } else if (layer instanceof Layer.IntoBatch) {
            List<Integer> x = one(layer, in);
            return x.subList(1, x.size());
        } else if (layer instanceof Layer.OutOfBatch l) {
            List<Integer> shape = new ArrayList<>(List.of(l.count()));
            shape.addAll(one(layer, in));
            return shape;
        }
        throw new IllegalStateException("No shape is defined for " + layer);
    }

    private static List<Integer> one(Layer layer, List<List<Integer>> in) {
        if (in.size() != 1) {
            throw wrong(layer, in);
        }
        return in.get(0);
    }

    private static List<Integer> axes(Layer layer, List<List<Integer>> in, int axes) {
        List<Integer> x = one(layer, in);
        if (x.size() != axes) {
            throw wrong(layer, in);
        }
        return x;
    }

    private static List<Integer> only(Layer layer, List<List<Integer>> in, int axes, int axis, int size) {
        List<Integer> x = axes(layer, in, axes);
        if (x.get(axis) != size) {
            throw wrong(layer, in);
        }
        return x;
    }

    private static List<Integer> last(Layer layer, List<List<Integer>> in, int size) {
        List<Integer> x = one(layer, in);
        if (x.isEmpty() || x.get(x.size() - 1) != size) {
            throw wrong(layer, in);
        }
        return x;
    }

    private static int window(Layer layer, List<List<Integer>> in, int size, int kernel, int stride, int padding) {
        if (size + 2 * padding < kernel) {
            throw wrong(layer, in);
        }
        return (size + 2 * padding - kernel) / stride + 1;
    }

    private static List<Integer> pooled(Layer layer, List<List<Integer>> in, int kernel, int stride, int padding) {
        List<Integer> x = axes(layer, in, 3);
        return List.of(
                x.get(0),
                window(layer, in, x.get(1), kernel, stride, padding),
                window(layer, in, x.get(2), kernel, stride, padding));
    }

    private static List<Integer> broadcast(Layer layer, List<List<Integer>> in) {
        if (in.size() != 2 || in.get(0).size() != in.get(1).size()) {
            throw wrong(layer, in);
        }
        Integer[] shape = new Integer[in.get(0).size()];
        for (int i = 0; i < shape.length; i++) {
            int a = in.get(0).get(i);
            int b = in.get(1).get(i);
            if (a != b && a != 1 && b != 1) {
                throw wrong(layer, in);
            }
            shape[i] = Math.max(a, b);
        }
        return Arrays.asList(shape);
    }

    private static List<Integer> concat(Layer.Concat l, List<List<Integer>> in) {
        if (in.isEmpty()) {
            throw wrong(l, in);
        }
        List<Integer> shape = new ArrayList<>(in.get(0));
        int sum = 0;
        for (List<Integer> x : in) {
            sum += x.get(l.axis());
            List<Integer> rest = new ArrayList<>(x);
            rest.set(l.axis(), shape.get(l.axis()));
            if (!rest.equals(shape)) {
                throw wrong(l, in);
            }
        }
        shape.set(l.axis(), sum);
        return shape;
    }

    private static List<Integer> product(Layer layer, List<List<Integer>> in) {
        if (in.size() != 2) {
            throw wrong(layer, in);
        }
        List<Integer> a = in.get(0);
        List<Integer> b = in.get(1);
        int n = a.size();
        if (n < 2
                || b.size() != n
                || !a.subList(0, n - 2).equals(b.subList(0, n - 2))
                || !a.get(n - 1).equals(b.get(n - 2))) {
            throw wrong(layer, in);
        }
        List<Integer> shape = new ArrayList<>(a);
        shape.set(n - 1, b.get(n - 1));
        return shape;
    }

    private static long product(List<Integer> shape) {
        return shape.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
    }

    private static IllegalArgumentException wrong(Layer layer, List<List<Integer>> in) {
        return new IllegalArgumentException(layer + " does not fit inputs of the shapes " + in);
    }
}
