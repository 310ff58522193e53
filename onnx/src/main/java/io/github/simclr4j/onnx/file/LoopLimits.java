// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import io.github.simclr4j.onnx.internal.TensorTypes;
import java.nio.file.Path;
import java.util.Map;

/**
 * Limits the number of iterations of a model's loops. The iterations of nested loops multiply, even if the inner loop is in a branch or
 * a function. The iterations of consecutive loops add up.
 */
final class LoopLimits {
    /** Maximum number of executions of one node per image: the product of the iterations of all loops around it. */
    private static final long MAX_ROUNDS = 4096;
    /** Maximum number of iterations of all loops together. */
    private static final long MAX_TOTAL = 16 * MAX_ROUNDS;

    private final ModelErrors errors;
    private final String name;
    private final Path folder;
    /** Product of the iterations of the loops around the current node. */
    private long repeats = 1;

    private long total;

    LoopLimits(ModelErrors errors, String name, Path folder) {
        this.errors = errors;
        this.name = name;
        this.folder = folder;
    }

    /**
     * Enters a node's subgraphs.
     *
     * @param constants values that are known before the graph runs
     * @return the argument for {@link #leave}
     */
    long enter(NodeProto node, Map<String, TensorProto> constants) throws InvalidEncoderException {
        long outer = repeats;
        boolean loop = node.getOpType().equals("Loop");
        if (!loop && !node.getOpType().equals("Scan") && !node.getOpType().equals("SequenceMap")) {
            return outer;
        }
        long rounds = loop ? trips(node, constants) : length(node, constants);
        if (rounds < 0 && loop || Math.max(rounds, 1) * outer > MAX_ROUNDS) {
            throw errors.bad("it loops more than " + MAX_ROUNDS + " times"
                    + (outer > 1 ? ", counting nested loops" : "") + ", or an unknown number of times");
        }
        // The number of iterations is the unknown length of a tensor. One such loop is bounded by its tensor, but must
        // not be nested.
        repeats = rounds < 0 ? MAX_ROUNDS : Math.max(rounds, 1) * outer;
        total += rounds < 0 ? outer : repeats;
        if (rounds < 0 && outer > 1 || total > MAX_TOTAL) {
            throw errors.bad(
                    total > MAX_TOTAL
                            ? "its loops have more than " + MAX_TOTAL + " iterations together"
                            : "a " + node.getOpType() + " of unknown length is inside a loop");
        }
        return outer;
    }

    /** Leaves a node's subgraphs. */
    void leave(long outer) {
        repeats = outer;
    }

    /** Returns the maximum number of iterations of a Loop, or -1 if it is unknown. */
    private long trips(NodeProto node, Map<String, TensorProto> constants) throws InvalidEncoderException {
        TensorProto t = node.getInputCount() > 0 ? constants.get(node.getInput(0)) : null;
        return t == null || TensorTypes.count(t) != 1 || t.getDataType() != TensorProto.DataType.INT64_VALUE
                ? -1
                : Math.max(0, Math.min(MAX_ROUNDS + 1, Tensors.whole(t, folder, name)[0]));
    }

    /** Returns the length of the constant among a Scan's inputs, or -1 if there is none. */
    private static long length(NodeProto node, Map<String, TensorProto> constants) {
        long scanned = node.getAttributeList().stream()
                .filter(a -> a.getName().equals("num_scan_inputs"))
                .mapToLong(a -> a.getI())
                .findFirst()
                .orElse(0);
        boolean first =
                node.getAttributeList().stream().noneMatch(a -> a.getName().equals("scan_input_axes"));
        for (int i = (int) Math.max(0, node.getInputCount() - scanned); first && i < node.getInputCount(); i++) {
            TensorProto t = constants.get(node.getInput(i));
            if (t != null && t.getDimsCount() > 0) {
                return Math.min(MAX_ROUNDS + 1, t.getDims(0));
            }
        }
        return -1;
    }
}
