package io.github.simclr4j.train.method;

import io.github.simclr4j.onnx.network.Layer;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.LayerGraph.Node;
import io.github.simclr4j.onnx.network.Weight;

/**
 * CPC's context network (Hénaff et al. 2020, appendix A): residual layers of masked convolutions over the grid of a patch encoder's
 * features. The context of a place depends on its own row and on the rows that come before it, and on no other. Rows come from the
 * top or from the bottom, columns from the left or from the right.
 */
final class ContextNetwork {
    private final LayerGraph.Builder g;
    private final Direction direction;
    private final String name;
    private final int width;

    /** From where the rows, or columns, come that are known; towards the other side is predicted. */
    enum Direction {
        DOWN, UP, RIGHT, LEFT;

        /** The axis of a map, [channels, rows, columns], along which is predicted. */
        int axis() {
            return this == DOWN || this == UP ? 1 : 2;
        }

        /** Whether places with lower numbers are known. */
        boolean fromZero() {
            return this == DOWN || this == RIGHT;
        }
    }

    /**
     * Prepares a network.
     *
     * @param g what it is added to
     * @param name of its weights begins with this
     * @param width channels within a residual layer
     */
    ContextNetwork(LayerGraph.Builder g, Direction direction, String name, int width) {
        this.g = g;
        this.direction = direction;
        this.name = name;
        this.width = width;
    }

    /** Adds the layers; the map and the contexts are [channels, rows, columns]. */
    Node append(Node map, int layers) {
        Node x = map;
        int channels = map.shape().get(0);
        int along = direction.axis();
        for (int i = 0; i < layers; i++) {
            String of = name + "." + i;
            Node y = g.relu(convolve(of + ".in", x, channels, width));
            // Across the direction a place sees its neighbours on both sides; along it, the one that comes before.
            y = sum(convolve(of + ".across.before", shifted(y, 3 - along, 1), width, width),
                    convolve(of + ".across.own", y, width, width),
                    convolve(of + ".across.after", shifted(y, 3 - along, -1), width, width));
            y = g.relu(sum(convolve(of + ".along.before", shifted(y, along, direction.fromZero() ? 1 : -1), width, width),
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

    /** Moves a map by one place along an axis, up for 1 and down for -1; what comes in is 0. */
    private Node shifted(Node x, int axis, int by) {
        int size = x.shape().get(axis);
        Node kept = size == 1 ? g.add(new Layer.Scale(0), x)
                : g.add(new Layer.Slice(axis, by > 0 ? 0 : 1, by > 0 ? size - 1 : size), x);
        return size == 1 ? kept : g.add(new Layer.Pad(axis, by > 0 ? 1 : 0, by > 0 ? 0 : 1), kept);
    }
}
