// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.network;

import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.network.Layer;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.LayerGraph.Node;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * Translates a {@link LayerGraph} to TorchScript, in the language of TorchScript archives: one method that takes images and the
 * weights by name and returns the results.
 *
 * <p>Convolutions, dense layers on tokens, and attention use the precision of the {@link Form}. Features (tensors with one axis)
 * and the heads on them use float32, and the results are float32.
 *
 * <p>In training, batch norms normalise by batch statistics, which are returned after the results as two tensors: the means and
 * the (unbiased) variances of all batch norms. With several groups, the rows are ordered group by group, and the returned
 * statistics are the means over the groups.
 */
final class ScriptWriter {
    /** TorchScript's numbers of data types. */
    private static final int FLOAT32 = 6;

    private static final int FLOAT64 = 7;
    private static final int CHANNELS_LAST = 2;
    /** (6/29)^3, the breakpoint of CIELAB's function. */
    private static final double LAB_LIMIT = 216 / 24389.0;
    /**
     * Number of channels that libtorch 2.7.1 processes at once in convolutions on the CPU. In an incomplete block it multiplies
     * uninitialised memory by zero, which yields NaN if the memory holds NaN. Channels are therefore padded to whole blocks.
     */
    private static final int BLOCK = 16;

    private final LayerGraph graph;
    private final Form form;
    private final StringBuilder body = new StringBuilder();
    private final Map<Integer, Integer> uses = new HashMap<>();
    private final Map<Integer, String> names = new HashMap<>();
    private final Map<Integer, Boolean> single = new HashMap<>();
    private final List<String> means = new ArrayList<>();
    private final List<String> variances = new ArrayList<>();
    private int temporaries;

    /**
     * The form in which a network is run.
     *
     * @param results names of the graph's results, in the order of return
     * @param statistics which statistics batch norms use
     * @param groups number of groups of rows with their own batch statistics; the rows are ordered group by group
     * @param precision precision of convolutions and tokens
     * @param layout memory layout of feature maps
     * @param gpu whether the script is for a GPU; on the CPU some operations of libtorch must be avoided
     */
    record Form(
            List<String> results,
            Statistics statistics,
            int groups,
            Precision precision,
            MemoryLayout layout,
            boolean gpu) {
        /** Copies the list. */
        Form {
            results = List.copyOf(results);
        }
    }

    /** Which statistics batch norms use, and which are returned. */
    enum Statistics {
        /** Uses and returns the batch statistics. */
        BATCH,
        /** Uses the running statistics and returns none. */
        RUNNING,
        /** Uses the running statistics and returns the batch statistics, with biased variances. */
        RUNNING_AND_MEASURED
    }

    private ScriptWriter(LayerGraph graph, Form form) {
        this.graph = graph;
        this.form = form;
    }

    /** Returns a TorchScript method {@code forward(x, w)} that runs the graph. */
    static String method(LayerGraph graph, Form form) {
        return new ScriptWriter(graph.only(form.results().toArray(String[]::new)), form).write();
    }

    private String write() {
        for (Node node : graph.nodes()) {
            node.inputs().forEach(i -> uses.merge(i, 1, Integer::sum));
        }
        graph.outputs().forEach(name -> uses.merge(graph.output(name).id(), 1, Integer::sum));
        for (Node node : graph.nodes()) {
            names.put(node.id(), expression(node));
        }
        List<String> results = new ArrayList<>();
        for (String name : form.results()) {
            Node node = graph.output(name);
            results.add(cast(names.get(node.id()), single.get(node.id()), true));
        }
        if (!means.isEmpty()) {
            results.add(line("torch.cat(" + list(means) + ", 0)"));
            results.add(line("torch.cat(" + list(variances) + ", 0)"));
        }
        return "  def forward(self: __torch__.Net,\n    x: Tensor,\n    w: Dict[str, Tensor]) -> List[Tensor]:\n" + body
                + "    return " + list(results) + "\n";
    }

    private String expression(Node node) {
        Layer layer = node.layer();
        boolean oneAxis = node.shape().size() == 1;
        single.put(node.id(), oneAxis || form.precision().isWide());
        if (layer instanceof Layer.Input) {
            return input(node);
        } else if (layer instanceof Layer.Conv l) {
            return convolution(l, in(node));
        } else if (layer instanceof Layer.BatchNorm l) {
            return batchNorm(l, in(node), oneAxis);
        } else if (layer instanceof Layer.LayerNorm l) {
            return normalised(
                    node,
                    x -> "torch.layer_norm(" + x + ", [" + l.size() + "], " + weight(l.name() + ".weight") + ", "
                            + weight(l.name() + ".bias") + ", " + l.epsilon() + ", False)");
        } else if (layer instanceof Layer.GroupNorm l) {
            return normalised(
                    node,
                    x -> "torch.group_norm(" + x + ", " + l.groups() + ", " + weight(l.name() + ".weight") + ", "
                            + weight(l.name() + ".bias") + ", " + l.epsilon() + ", False)");
        } else if (layer instanceof Layer.Dense l) {
            String bias = l.bias() ? as(weight(l.name() + ".bias"), node) : "None";
            return line("torch.linear(" + in(node) + ", " + as(weight(l.name() + ".weight"), node) + ", " + bias + ")");
        } else if (layer instanceof Layer.Learned l) {
            return line("torch.unsqueeze(" + as(weight(l.name()), node) + ", 0)");
        } else if (layer instanceof Layer.Activation l) {
            return activation(l, node);
        } else if (layer instanceof Layer.MaxPool l) {
            return line("torch.max_pool2d(" + in(node) + ", " + square(l.kernel()) + ", " + square(l.stride()) + ", "
                    + square(l.padding()) + ", [1, 1], False)");
        } else if (layer instanceof Layer.AveragePool l) {
            return line("torch.avg_pool2d(" + in(node) + ", " + square(l.kernel()) + ", " + square(l.stride())
                    + ", [0, 0], False, True, None)");
        } else if (layer instanceof Layer.GlobalAveragePool l) {
            String mean = line("torch.mean(" + in(node) + ", [2, 3], " + (l.keepAxes() ? "True" : "False") + ")");
            return cast(mean, form.precision().isWide(), single.get(node.id()));
        } else if (layer instanceof Layer.Mean l) {
            String mean = line("torch.mean(" + in(node) + ", [" + (l.axis() + 1) + "], False)");
            return cast(mean, form.precision().isWide(), single.get(node.id()));
        } else if (layer instanceof Layer.Add) {
            return sum(node);
        } else if (layer instanceof Layer.Multiply) {
            return line("torch.mul(" + as(node, 0) + ", " + as(node, 1) + ")");
        } else if (layer instanceof Layer.Scale l) {
            return line("torch.mul(" + in(node) + ", " + l.factor() + ")");
        } else if (layer instanceof Layer.Concat l) {
            return concat(l, node);
        } else if (layer instanceof Layer.Reshape l) {
            String shape = l.shape().stream().map(d -> ", " + d).collect(Collectors.joining());
            return as(
                    line("torch.reshape(" + in(node) + ", [-1" + shape + "])"),
                    node.inputs().get(0),
                    node);
        } else if (layer instanceof Layer.Transpose l) {
            String order = l.order().stream().map(d -> ", " + (d + 1)).collect(Collectors.joining());
            return line("torch.permute(" + in(node) + ", [0" + order + "])");
        } else if (layer instanceof Layer.Slice l) {
            return line("torch.slice(" + in(node) + ", " + (l.axis() + 1) + ", " + l.from() + ", " + l.to() + ", 1)");
        } else if (layer instanceof Layer.MatMul) {
            return line("torch.matmul(" + as(node, 0) + ", " + as(node, 1) + ")");
        } else if (layer instanceof Layer.Softmax) {
            return line("torch.softmax(" + in(node) + ", -1)");
        } else if (layer instanceof Layer.Pad l) {
            // torch.pad takes two numbers per axis, starting with the last axis.
            String later = "0, 0, ".repeat(node.shape().size() - 1 - l.axis());
            return as(
                    line("torch.pad(" + in(node) + ", [" + later + l.before() + ", " + l.after() + "])"),
                    node.inputs().get(0),
                    node);
        } else if (layer instanceof Layer.Patches l) {
            String windows = line("torch.unfold(torch.unfold(" + in(node) + ", 2, " + l.side() + ", " + l.stride()
                    + "), 3, " + l.side() + ", " + l.stride() + ")");
            return line("torch.flatten(torch.permute(" + windows + ", [0, 2, 3, 1, 4, 5]), 1, 2)");
        } else if (layer instanceof Layer.IntoBatch) {
            String rows = line("torch.flatten(" + in(node) + ", 0, 1)");
            boolean map = node.shape().size() == 3 && form.layout() == MemoryLayout.CHANNELS_LAST;
            rows = map ? line("torch.contiguous(" + rows + ", memory_format=" + CHANNELS_LAST + ")") : rows;
            return as(rows, node.inputs().get(0), node);
        } else if (layer instanceof Layer.OutOfBatch l) {
            String shape = node.shape().stream().map(d -> ", " + d).collect(Collectors.joining());
            return as(
                    line("torch.reshape(" + in(node) + ", [-1" + shape + "])"),
                    node.inputs().get(0),
                    node);
        }
        throw new IllegalStateException("The trainer cannot run layer " + layer);
    }

    private String input(Node node) {
        String x = line("torch.div(torch.sub(x, " + Preprocessing.MEAN + "), " + Preprocessing.DEVIATION + ")");
        x = cast(x, true, single.get(node.id()));
        return form.layout() == MemoryLayout.CHANNELS_LAST
                ? line("torch.contiguous(" + x + ", memory_format=" + CHANNELS_LAST + ")")
                : x;
    }

    private String convolution(Layer.Conv l, String x) {
        String w = wide(weight(l.name() + ".weight"));
        String bias = l.bias() ? wide(weight(l.name() + ".bias")) : "None";
        if (!form.gpu() && l.kernel() == 1 && l.groups() == 1 && l.padding() == 0) {
            return product(l, x, w, bias);
        }
        // Padding a channel of a depthwise convolution adds a group.
        boolean depthwise = l.groups() > 1 && l.groups() == l.in() && l.groups() == l.out();
        boolean pads = !form.gpu() && (l.groups() == 1 || depthwise);
        int more = pads ? padding(l.in()) : 0;
        int moreOut = pads ? padding(l.out()) : 0;
        if (more > 0) {
            x = line("torch.pad(" + x + ", [0, 0, 0, 0, 0, " + more + "])");
        }
        if (more > 0 || moreOut > 0) {
            w = line("torch.pad(" + w + ", [0, 0, 0, 0, 0, " + (depthwise ? 0 : more) + ", 0, " + moreOut + "])");
        }
        if (moreOut > 0 && l.bias()) {
            bias = line("torch.pad(" + bias + ", [0, " + moreOut + "])");
        }
        String y = line("torch.conv2d(" + x + ", " + w + ", " + bias + ", " + square(l.stride()) + ", "
                + square(l.padding()) + ", [1, 1], " + (depthwise ? l.groups() + more : l.groups()) + ")");
        return moreOut > 0 ? line("torch.slice(" + y + ", 1, 0, " + l.out() + ", 1)") : y;
    }

    /** Returns the number of channels missing to a whole block; the 3 colour channels are not padded. */
    private static int padding(int channels) {
        return channels == 3 ? 0 : (BLOCK - channels % BLOCK) % BLOCK;
    }

    /**
     * Writes a 1x1 convolution as a matrix product. For such convolutions libtorch 2.7.1 computes a block size from the CPU's cache
     * sizes. On a virtual machine that hides them it divides by zero, which kills the process.
     */
    private String product(Layer.Conv l, String x, String w, String bias) {
        if (l.stride() > 1) {
            // Subsampling by a pooling window of one pixel: the backward pass of a strided slice takes a fifth of a
            // narrow network's step.
            x = line("torch.avg_pool2d(" + x + ", [1, 1], " + square(l.stride()) + ", [0, 0], False, True, None)");
        }
        String matrix = line("torch.reshape(" + w + ", [" + l.out() + ", " + l.in() + "])");
        String y = line("torch.linear(torch.permute(" + x + ", [0, 2, 3, 1]), " + matrix + ", " + bias + ")");
        return line("torch.permute(" + y + ", [0, 3, 1, 2])");
    }

    /** Writes a norm with float32 weights. The CPU kernel accepts a 16-bit input, the GPU kernel requires one data type. */
    private String normalised(Node node, UnaryOperator<String> norm) {
        boolean narrow = !single.get(node.id()) && form.gpu();
        return narrow ? cast(line(norm.apply(cast(in(node), false, true))), true, false) : line(norm.apply(in(node)));
    }

    private String batchNorm(Layer.BatchNorm l, String x, boolean oneAxis) {
        String scale = weight(l.name() + ".weight");
        String shift = weight(l.name() + ".bias");
        String tail = ", " + l.epsilon() + ", False)";
        if (form.statistics() != Statistics.BATCH) {
            if (form.statistics() == Statistics.RUNNING_AND_MEASURED) {
                String axes = oneAxis ? "[0]" : "[0, 2, 3]";
                String exact = cast(x, oneAxis || form.precision().isWide(), true);
                means.add(line("torch.mean(" + exact + ", " + axes + ")"));
                variances.add(line("torch.var(" + exact + ", " + axes + ", False)"));
            }
            return line(
                    "torch.batch_norm(" + x + ", " + scale + ", " + shift + ", " + weight(l.name() + ".running_mean")
                            + ", " + weight(l.name() + ".running_var") + ", False, 0." + tail);
        }
        String[] parts = new String[form.groups()];
        List<String> groupMeans = new ArrayList<>();
        List<String> groupVariances = new ArrayList<>();
        String split = form.groups() == 1 ? null : line("torch.chunk(" + x + ", " + form.groups() + ", 0)");
        for (int g = 0; g < form.groups(); g++) {
            String mean = line("torch.zeros_like(" + scale + ")");
            String variance = line("torch.ones_like(" + scale + ")");
            // With a momentum of 1 the running statistics become the batch statistics.
            parts[g] = line("torch.batch_norm(" + (split == null ? x : split + "[" + g + "]") + ", " + scale + ", "
                    + shift + ", " + mean + ", " + variance + ", True, 1." + tail);
            groupMeans.add(mean);
            groupVariances.add(variance);
        }
        means.add(average(groupMeans));
        variances.add(average(groupVariances));
        return parts.length == 1 ? parts[0] : line("torch.cat(" + list(List.of(parts)) + ", 0)");
    }

    private String average(List<String> values) {
        return values.size() == 1 ? values.get(0) : line("torch.mean(torch.stack(" + list(values) + ", 0), [0])");
    }

    private String activation(Layer.Activation l, Node node) {
        String x = in(node);
        return switch (l.function()) {
            // In place if no other layer reads the input and no backward pass needs it.
            case RELU -> line((replaceable(node.inputs().get(0)) ? "torch.relu_(" : "torch.relu(") + x + ")");
            case GELU -> line("torch.gelu(" + x + ")");
            case HARD_SWISH -> line("torch.hardswish(" + x + ")");
            case HARD_SIGMOID -> line("torch.hardsigmoid(" + x + ")");
            case SIGMOID -> line("torch.sigmoid(" + x + ")");
            case TANH -> line("torch.tanh(" + x + ")");
            case LINEAR_LIGHT -> {
                String v = line("torch.clamp(torch.add(torch.mul(" + x + ", " + Preprocessing.DEVIATION + "), "
                        + Preprocessing.MEAN + "), 0., 1.)");
                String curve = line("torch.pow(torch.div(torch.add(" + v + ", 0.055), 1.055), 2.4)");
                yield line("torch.where(torch.gt(" + v + ", 0.04045), " + curve + ", torch.div(" + v + ", 12.92))");
            }
            case LAB -> {
                String root = line("torch.pow(torch.clamp_min(" + x + ", " + LAB_LIMIT + "), " + 1 / 3.0 + ")");
                String straight = line("torch.add(torch.mul(" + x + ", " + 841 / 108.0 + "), " + 4 / 29.0 + ")");
                String f = line("torch.where(torch.gt(" + x + ", " + LAB_LIMIT + "), " + root + ", " + straight + ")");
                yield line("torch.sub(" + f + ", " + 66 / 116.0 + ")");
            }
        };
    }

    private String sum(Node node) {
        boolean inPlace = replaceable(node.inputs().get(0))
                && shape(node.inputs().get(0)).equals(node.shape())
                && single.get(node.inputs().get(0)).equals(single.get(node.id()));
        return line((inPlace ? "torch.add_(" : "torch.add(") + as(node, 0) + ", " + as(node, 1) + ")");
    }

    /** Tells whether a result is read only once and not needed by the backward pass of the layer that computed it. */
    private boolean replaceable(int id) {
        Layer maker = graph.nodes().stream()
                .filter(n -> n.id() == id)
                .findFirst()
                .orElseThrow()
                .layer();
        return uses.get(id) == 1 && (maker instanceof Layer.BatchNorm || maker instanceof Layer.Add);
    }

    private List<Integer> shape(int id) {
        return graph.nodes().stream()
                .filter(n -> n.id() == id)
                .findFirst()
                .orElseThrow()
                .shape();
    }

    private String concat(Layer.Concat l, Node node) {
        List<String> parts = new ArrayList<>();
        for (int i = 0; i < node.inputs().size(); i++) {
            String part = as(node, i);
            int id = node.inputs().get(i);
            if (graph.nodes().stream().anyMatch(n -> n.id() == id && n.layer() instanceof Layer.Learned)) {
                String batch = line("torch.size(x, 0)");
                String rest = shape(id).stream().map(d -> ", -1").collect(Collectors.joining());
                part = line("torch.expand(" + part + ", [" + batch + rest + "])");
            }
            parts.add(part);
        }
        return line("torch.cat(" + list(parts) + ", " + (l.axis() + 1) + ")");
    }

    /** Returns the only input of a layer that keeps the number of axes, and so the data type. */
    private String in(Node node) {
        return names.get(node.inputs().get(0));
    }

    /** Returns an input in the data type of the node's result. */
    private String as(Node node, int i) {
        int id = node.inputs().get(i);
        return cast(names.get(id), single.get(id), single.get(node.id()));
    }

    private String as(String value, int from, Node to) {
        return cast(value, single.get(from), single.get(to.id()));
    }

    /** Returns a weight in the data type of the node's result. */
    private String as(String weight, Node node) {
        return cast(weight, true, single.get(node.id()));
    }

    private String wide(String weight) {
        return cast(weight, true, form.precision().isWide());
    }

    private String cast(String value, boolean fromSingle, boolean toSingle) {
        if (fromSingle == toSingle || form.precision().isWide()) {
            return value;
        }
        return line("torch.to(" + value + ", "
                + (toSingle ? FLOAT32 : form.precision().number()) + ")");
    }

    private static String weight(String name) {
        return "w[\"" + name + "\"]";
    }

    private static String square(int n) {
        return "[" + n + ", " + n + "]";
    }

    private static String list(List<String> values) {
        return "[" + String.join(", ", values) + "]";
    }

    private String line(String value) {
        String name = "_" + temporaries++;
        body.append("    ").append(name).append(" = ").append(value).append('\n');
        return name;
    }
}
