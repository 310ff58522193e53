// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import io.github.simclr4j.onnx.internal.GraphIndex;
import io.github.simclr4j.onnx.internal.OneLine;
import io.github.simclr4j.onnx.internal.TensorTypes;
import io.github.simclr4j.onnx.internal.TensorValues;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds operators that make a model's output differ from run to run: operators that draw random numbers, dropout in training mode, and
 * batch norm in training mode, which makes an embedding depend on the other images of its batch. Only operators that the output depends
 * on count.
 *
 * @since 0.1.0
 */
public final class RandomOperators {
    private static final Set<String> DRAWN = Set.of(
            "RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli");
    /** The inputs for the ratio and for the training mode of each dropout operator. */
    private static final Map<String, int[]> DROPOUT = Map.of(
            "Dropout",
            new int[] {1, 2},
            "BitmaskDropout",
            new int[] {1, 2},
            "BiasDropout",
            new int[] {3, 4},
            "BitmaskBiasDropout",
            new int[] {3, 4});

    private final ModelProto model;
    private final int opset;
    private final Map<String, FunctionProto> functions = new HashMap<>();
    private final List<String> found = new ArrayList<>();

    private RandomOperators(ModelProto model) {
        this.model = model;
        opset = Opset.of(model.getOpsetImportList());
        model.getFunctionsList().forEach(f -> functions.put(f.getDomain() + ":" + f.getName(), f));
    }

    /**
     * Finds the random operators that some values of the graph depend on.
     *
     * @param model the model
     * @param outputs names of the values
     * @return descriptions of the operators; empty if there are none
     */
    public static List<String> find(ModelProto model, Collection<String> outputs) {
        RandomOperators search = new RandomOperators(model);
        Map<String, TensorProto> constants = new HashMap<>();
        search.model.getGraph().getInitializerList().forEach(t -> constants.put(t.getName(), t));
        search.reach(model.getGraph().getNodeList(), outputs, constants, 0);
        return List.copyOf(search.found);
    }

    /** Finds the random operators that the outputs of a model depend on; see {@link #find(ModelProto, Collection)}. */
    public static List<String> find(ModelProto model) {
        return find(
                model,
                model.getGraph().getOutputList().stream()
                        .map(ValueInfoProto::getName)
                        .toList());
    }

    /**
     * Rejects a model whose features would be random.
     *
     * @param model the model
     * @param outputs the names of the values that the embedding is made of
     * @param name the model's name in messages
     * @throws InvalidEncoderException if one of them depends on a random operator; the message names the remedy
     */
    public static void refuse(ModelProto model, Collection<String> outputs, String name)
            throws InvalidEncoderException {
        List<String> random = find(model, outputs);
        if (!random.isEmpty()) {
            throw new InvalidEncoderException(name
                    + " computes different features at each run, because it was exported in training mode or draws"
                    + " random numbers: export it in eval mode (model.eval() in PyTorch); found " + OneLine.of(random));
        }
    }

    private void reach(
            List<NodeProto> nodes, Collection<String> outputs, Map<String, TensorProto> constants, int depth) {
        Map<String, NodeProto> makers = new HashMap<>();
        for (NodeProto n : nodes) {
            n.getOutputList().forEach(o -> makers.put(o, n));
            TensorProto constant = TensorValues.constant(n);
            if (constant != null) {
                n.getOutputList().forEach(o -> constants.put(o, constant));
            } else if (n.getOpType().equals("Identity")
                    && n.getInputCount() > 0
                    && constants.containsKey(n.getInput(0))) {
                n.getOutputList().forEach(o -> constants.put(o, constants.get(n.getInput(0))));
            }
        }
        Deque<String> waiting = new ArrayDeque<>(outputs);
        Set<String> seen = new HashSet<>(outputs);
        Set<NodeProto> done = Collections.newSetFromMap(new IdentityHashMap<>());
        while (!waiting.isEmpty()) {
            NodeProto n = makers.get(waiting.pop());
            if (n == null || !done.add(n)) {
                continue;
            }
            look(n, constants, depth);
            Set<String> takes = new HashSet<>(n.getInputList());
            n.getAttributeList().forEach(a -> inside(a).forEach(g -> free(g, takes)));
            takes.stream().filter(seen::add).forEach(waiting::push);
        }
    }

    private static List<GraphProto> inside(AttributeProto a) {
        List<GraphProto> graphs = new ArrayList<>(a.getGraphsList());
        if (a.hasG()) {
            graphs.add(a.getG());
        }
        return graphs;
    }

    /** Adds the outer values that an operator's subgraph may use. */
    private static void free(GraphProto g, Set<String> takes) {
        g.getOutputList().forEach(o -> takes.add(o.getName()));
        for (NodeProto n : g.getNodeList()) {
            takes.addAll(n.getInputList());
            n.getAttributeList().forEach(a -> inside(a).forEach(i -> free(i, takes)));
        }
    }

    private void look(NodeProto n, Map<String, TensorProto> constants, int depth) {
        FunctionProto f = functions.get(n.getDomain() + ":" + n.getOpType());
        if (f != null && depth < 50) {
            Map<String, TensorProto> known = new HashMap<>();
            for (int i = 0; i < Math.min(f.getInputCount(), n.getInputCount()); i++) {
                if (constants.containsKey(n.getInput(i))) {
                    known.put(f.getInput(i), constants.get(n.getInput(i)));
                }
            }
            reach(f.getNodeList(), f.getOutputList(), known, depth + 1);
            return;
        }
        String why = random(n, constants);
        if (why != null) {
            found.add(n.getOpType() + (n.getName().isEmpty() ? "" : " " + n.getName()) + why);
        }
        for (AttributeProto a : n.getAttributeList()) {
            for (GraphProto g : inside(a)) {
                Map<String, TensorProto> known = new HashMap<>(constants);
                g.getInitializerList().forEach(t -> known.put(t.getName(), t));
                reach(
                        g.getNodeList(),
                        g.getOutputList().stream().map(ValueInfoProto::getName).toList(),
                        known,
                        depth);
            }
        }
    }

    /** Returns the reason why a node's result is random, or null if it is not. */
    private String random(NodeProto n, Map<String, TensorProto> constants) {
        String op = n.getOpType();
        if (DRAWN.contains(op)) {
            return constantDraw(n) ? null : "";
        }
        if (DROPOUT.containsKey(op)) {
            int[] at = DROPOUT.get(op);
            boolean none = op.equals("Dropout") && opset < 12
                    ? n.getAttributeList().stream().anyMatch(a -> a.getName().equals("ratio") && a.getF() == 0)
                    : zero(n, at[0], constants);
            boolean trains = op.equals("Dropout") && opset < 12
                    // Up to opset 6 an attribute selects the mode; from 7 to 11 the mode is always inference.
                    ? opset < 7 && GraphIndex.integer(n, "is_test", 0) == 0
                    : n.getInputCount() > at[1] && !n.getInput(at[1]).isEmpty() && !zero(n, at[1], constants);
            return trains && !none ? " in training mode" : null;
        }
        if (op.equals("BatchNormalization")) {
            boolean trains = opset >= 14
                    ? GraphIndex.integer(n, "training_mode", 0) != 0
                    : opset >= 7
                            ? n.getOutputList().stream()
                                            .filter(o -> !o.isEmpty())
                                            .count()
                                    > 1
                            : GraphIndex.integer(n, "is_test", 0) == 0;
            return trains ? " in training mode (an embedding depends on the other images of its batch)" : null;
        }
        return null;
    }

    /** Returns whether the numbers drawn are constant, because their range or standard deviation is 0. */
    private static boolean constantDraw(NodeProto n) {
        Map<String, Float> said = new HashMap<>();
        n.getAttributeList().forEach(a -> said.put(a.getName(), a.getF()));
        return n.getOpType().startsWith("RandomNormal")
                ? said.getOrDefault("scale", 1f) == 0
                : n.getOpType().startsWith("RandomUniform")
                        && said.getOrDefault("low", 0f).equals(said.getOrDefault("high", 1f));
    }

    /** Returns whether an input is the constant 0 or false. */
    private static boolean zero(NodeProto n, int input, Map<String, TensorProto> constants) {
        TensorProto t = Optional.of(n)
                .filter(x -> input < x.getInputCount())
                .map(x -> constants.get(x.getInput(input)))
                .orElse(null);
        if (t == null || TensorTypes.isExternal(t) || TensorTypes.count(t) != 1) {
            return false;
        }
        ByteString raw = t.getRawData();
        for (int i = 0; i < raw.size(); i++) {
            if (raw.byteAt(i) != 0) {
                return false;
            }
        }
        return t.getInt32DataList().stream().allMatch(v -> v == 0)
                && t.getFloatDataList().stream().allMatch(v -> v == 0)
                && t.getInt64DataList().stream().allMatch(v -> v == 0)
                && t.getDoubleDataList().stream().allMatch(v -> v == 0);
    }
}
