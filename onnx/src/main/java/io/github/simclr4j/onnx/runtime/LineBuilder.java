// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import io.github.simclr4j.onnx.internal.GraphBuilder;
import io.github.simclr4j.onnx.internal.GraphIndex;
import io.github.simclr4j.onnx.internal.TensorValues;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes the nodes that compute the lines of {@link Winograd}, and estimates how many multiplications they save and what the additional
 * work costs.
 */
final class LineBuilder {
    /**
     * Costs in multiplications of a convolution: of writing an element, of assembling an element from lines, and of reading a weight
     * for an image. For a ResNet-18 at 224x224 on one core with AVX-512, 58 multiplications per nanosecond, 0.8 ns per element written
     * and 2 ns per element assembled were measured. The cost of a weight is fitted to measurements of ResNet-50.
     */
    static final long WRITTEN = 45;

    static final long PUT_TOGETHER = 120;
    static final long READ = 5;

    private final String prefix;
    private final GraphIndex index;
    private final List<NodeProto> nodes = new ArrayList<>();
    private final Map<String, TensorProto> made = new LinkedHashMap<>();
    private int count;
    private double saved;

    /**
     * Creates a builder without nodes.
     *
     * @param prefix prefix of all new names, which no name in the graph may have
     * @param index index of the graph with the weights
     */
    LineBuilder(String prefix, GraphIndex index) {
        this.prefix = prefix;
        this.index = index;
    }

    /** Returns the nodes in topological order. */
    List<NodeProto> nodes() {
        return nodes;
    }

    /** Returns the initialisers that the nodes need beside those of the graph. */
    Collection<TensorProto> constants() {
        return made.values();
    }

    /** Returns the number of multiplications saved, minus the costs. */
    double saved() {
        return saved;
    }

    /** Adds to the multiplications saved. */
    void save(double multiplications) {
        saved += multiplications;
    }

    /** Adds to the costs. */
    void spend(double multiplications) {
        saved -= multiplications;
    }

    /** Adds a node unchanged. */
    void add(NodeProto node) {
        nodes.add(node);
    }

    /** Adds two lines, and counts the cost of the sum. */
    Line add(Line a, Line b) {
        spend((double) WRITTEN * a.channels() * a.rows() * a.width());
        return sum(a, b);
    }

    Line sum(Line a, Line b) {
        return new Line(emit("Add", List.of(a.name(), b.name()), null), a.channels(), a.rows(), a.width());
    }

    /** Computes {@code factor * x + y} with a number of rows. */
    Line plus(Line x, float factor, Line y, int rows) {
        return depthwise(x, 0, rows, 1, y, factor);
    }

    /** Returns a line with a number of rows: further rows are dropped, missing rows are 0. */
    Line fit(Line x, int rows) {
        return x.rows() == rows ? x : depthwise(x, 0, rows, 1, null, 1);
    }

    /**
     * Computes sums of consecutive rows multiplied by taps, as a depthwise convolution.
     *
     * @param above number of rows of zeros before the first row; the number after the last row follows
     * @param rows number of rows of the result
     * @param plus a line to add to the result, or null
     */
    Line depthwise(Line x, int above, int rows, int stride, Line plus, float... taps) {
        int behind = (rows - 1) * stride + taps.length - x.rows() - above;
        // Taps of 0 skip superfluous rows.
        float[] all = stride > 1 ? taps : Arrays.copyOf(taps, taps.length + Math.max(0, -behind));
        String key = prefix + "_taps_" + x.channels() + Arrays.toString(all);
        made.computeIfAbsent(key, k -> {
            float[] values = new float[x.channels() * all.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = all[i % all.length];
            }
            return TensorValues.floats(k, values, x.channels(), 1, all.length, 1);
        });
        spend((double) WRITTEN * x.channels() * rows * x.width());
        String y = emit(
                "Conv",
                List.of(x.name(), key),
                null,
                GraphBuilder.ints("kernel_shape", all.length, 1),
                GraphBuilder.ints("pads", above, 0, stride > 1 ? 0 : Math.max(0, behind), 0),
                GraphBuilder.ints("strides", stride, 1),
                GraphBuilder.integer("group", x.channels()));
        // ONNX Runtime fuses a convolution and a sum.
        y = plus == null ? y : emit("Add", List.of(y, plus.name()), null);
        return new Line(y, x.channels(), rows, x.width());
    }

    /**
     * Adds a convolution with a kernel of one row, whose weights are a weighted sum of the rows of other weights.
     *
     * @param kernel number of columns of the kernel
     * @param stride stride along the columns
     * @param plus a line to add to the result, or null
     * @param factors the factor of each row of the weights
     */
    Line convolve(Line x, String w, String bias, int filters, int kernel, int stride, Line plus, double... factors) {
        String key = prefix + "_rows_" + w + Arrays.toString(factors);
        made.computeIfAbsent(key, k -> {
            float[] from = TensorValues.floats(index.initialisers.get(w));
            float[] values = new float[filters * x.channels() * kernel];
            for (int i = 0; i < values.length; i++) {
                double sum = 0;
                for (int row = 0; row < kernel; row++) {
                    sum += factors[row] * from[i / kernel * kernel * kernel + row * kernel + i % kernel];
                }
                values[i] = (float) sum;
            }
            return TensorValues.floats(k, values, filters, x.channels(), 1, kernel);
        });
        spend((double) READ * filters * x.channels() * kernel);
        List<String> in = bias == null ? List.of(x.name(), key) : List.of(x.name(), key, bias);
        String y = emit(
                "Conv",
                in,
                null,
                GraphBuilder.ints("kernel_shape", 1, kernel),
                GraphBuilder.ints("pads", 0, kernel / 2, 0, kernel / 2),
                GraphBuilder.ints("strides", 1, stride));
        y = plus == null ? y : emit("Add", List.of(y, plus.name()), null);
        return new Line(y, filters, x.rows(), (x.width() + stride - 1) / stride);
    }

    /** Applies a node to one line instead of the whole feature map. */
    Line same(NodeProto n, Line x, int channels) {
        String out = prefix + "_" + count++;
        nodes.add(n.toBuilder()
                .setName(out)
                .setInput(0, x.name())
                .setOutput(0, out)
                .build());
        return new Line(out, channels, x.rows(), x.width());
    }

    String longs(long... values) {
        String key = prefix + "_longs" + Arrays.toString(values);
        made.computeIfAbsent(key, k -> TensorValues.longs(k, values, values.length));
        return key;
    }

    /** Adds a node and returns the name of its output, which is made up if {@code out} is null. */
    String emit(String op, List<String> in, String out, AttributeProto... attributes) {
        String name = prefix + "_" + count++;
        String made = out == null ? name : out;
        nodes.add(GraphBuilder.node(op, name, in, made, attributes));
        return made;
    }
}
