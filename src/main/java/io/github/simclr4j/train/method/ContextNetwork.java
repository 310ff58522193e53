// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import io.github.simclr4j.onnx.network.Layer;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.LayerGraph.Node;
import io.github.simclr4j.onnx.network.Weight;

/**
 * The context network of CPC (<a href="https://arxiv.org/abs/1905.09272">Hénaff et al. 2020</a>, appendix A): residual layers
 * of masked convolutions over the grid of a patch encoder's features.
 *
 * <p>The context of a location depends only on its own row and the rows before it. Depending on the direction, rows are counted
 * from the top or the bottom, or columns from the left or the right.
 */
final class ContextNetwork {
    private final LayerGraph.Builder g;
    private final Direction direction;
    private final String name;
    private final int width;

    /** The direction of prediction: {@code DOWN} predicts lower rows from upper ones. */
    enum Direction {
        DOWN,
        UP,
        RIGHT,
        LEFT;

        /** Returns the axis of a map, [channels, rows, columns], along which it predicts. */
        int axis() {
            return this == DOWN || this == UP ? 1 : 2;
        }

        /** Tells whether the known locations have the lower indices. */
        boolean fromZero() {
            return this == DOWN || this == RIGHT;
        }
    }

    /**
     * Prepares a network.
     *
     * @param g the graph that the layers are added to
     * @param direction direction of prediction
     * @param name prefix of the names of its weights
     * @param width channels within a residual layer
     */
    ContextNetwork(LayerGraph.Builder g, Direction direction, String name, int width) {
        this.g = g;
        this.direction = direction;
        this.name = name;
        this.width = width;
    }

    /** Adds the layers; the input map and the resulting contexts are [channels, rows, columns]. */
    Node append(Node map, int layers) {
        Node x = map;
        int channels = map.shape().get(0);
        int along = direction.axis();
        for (int i = 0; i < layers; i++) {
            String of = name + "." + i;
            Node y = g.relu(convolve(of + ".in", x, channels, width));
            // A location sees its neighbours on both sides across the direction, and only the one before it along the
            // direction.
            y = sum(
                    convolve(of + ".across.before", shifted(y, 3 - along, 1), width, width),
                    convolve(of + ".across.own", y, width, width),
                    convolve(of + ".across.after", shifted(y, 3 - along, -1), width, width));
            y = g.relu(sum(
                    convolve(of + ".along.before", shifted(y, along, direction.fromZero() ? 1 : -1), width, width),
                    convolve(of + ".along.own", y, width, width)));
            x = g.add(new Layer.Add(), convolve(of + ".out", y, width, channels), x);
        }
        return g.relu(x);
    }

    private Node convolve(String of, Node x, int in, int out) {
        return g.add(new Layer.Conv(of, in, out, 1, 1, 0, 1, true, Weight.heFanOut(out, 1)), x);
    }

    private Node sum(Node... parts) {
        Node all = parts[0];
        for (int i = 1; i < parts.length; i++) {
            all = g.add(new Layer.Add(), all, parts[i]);
        }
        return all;
    }

    /** Shifts a map by one location along an axis, to higher indices for 1 and lower ones for -1, and fills with 0. */
    private Node shifted(Node x, int axis, int by) {
        int size = x.shape().get(axis);
        Node kept = size == 1
                ? g.add(new Layer.Scale(0), x)
                : g.add(new Layer.Slice(axis, by > 0 ? 0 : 1, by > 0 ? size - 1 : size), x);
        return size == 1 ? kept : g.add(new Layer.Pad(axis, by > 0 ? 1 : 0, by > 0 ? 0 : 1), kept);
    }
}
