package io.github.simclr4j.onnx.file;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import io.github.simclr4j.onnx.internal.TensorTypes;
import java.nio.file.Path;
import java.util.Map;

/**
 * Bounds how often a model repeats its nodes: rounds of a loop inside a loop multiply, also where the inner one is in a branch or a
 * function, and rounds of loops one behind the other add up.
 */
final class LoopLimits {
    /** The most rounds that one node may go through for an image, all loops around it multiplied. */
    private static final long MAX_ROUNDS = 4096;
    /** The most rounds of all loops together. */
    private static final long MAX_TOTAL = 16 * MAX_ROUNDS;

    private final ModelErrors errors;
    private final String name;
    private final Path folder;
    /** Rounds of the loops around the node that is looked at, multiplied. */
    private long repeats = 1;
    private long total;

    LoopLimits(ModelErrors errors, String name, Path folder) {
        this.errors = errors;
        this.name = name;
        this.folder = folder;
    }

    /**
     * Enters a node's graphs.
     *
     * @param constants what is known before the graph runs
     * @return what {@link #leave} needs afterwards
     */
    long enter(NodeProto node, Map<String, TensorProto> constants) throws InvalidEncoderException {
        long outer = repeats;
        boolean loop = node.getOpType().equals("Loop");
        if (!loop && !node.getOpType().equals("Scan") && !node.getOpType().equals("SequenceMap")) {
            return outer;
        }
        long rounds = loop ? trips(node, constants) : length(node, constants);
        if (rounds < 0 && loop || Math.max(rounds, 1) * outer > MAX_ROUNDS) {
            throw errors.bad("it loops more than " + MAX_ROUNDS + " times" + (outer > 1 ? ", loops inside loops multiplied" : "")
                    + ", or the graph does not say how often");
        }
        // As many rounds as a tensor is long that is not known here: one such loop is bounded by its tensor, no loop fits around it.
        repeats = rounds < 0 ? MAX_ROUNDS : Math.max(rounds, 1) * outer;
        total += rounds < 0 ? outer : repeats;
        if (rounds < 0 && outer > 1 || total > MAX_TOTAL) {
            throw errors.bad(total > MAX_TOTAL ? "its loops have more than " + MAX_TOTAL + " rounds together"
                    : "a " + node.getOpType() + " of unknown length is inside a loop");
        }
        return outer;
    }

    /** Leaves a node's graphs. */
    void leave(long outer) {
        repeats = outer;
    }

    /** How often a Loop runs at most; -1 if the graph does not say it. */
    private long trips(NodeProto node, Map<String, TensorProto> constants) throws InvalidEncoderException {
        TensorProto t = node.getInputCount() > 0 ? constants.get(node.getInput(0)) : null;
        return t == null || TensorTypes.count(t) != 1 || t.getDataType() != TensorProto.DataType.INT64_VALUE
                ? -1 : Math.max(0, Math.min(MAX_ROUNDS + 1, Tensors.whole(t, folder, name)[0]));
    }

    /** How long the constant among a Scan's inputs is; -1 if there is none. */
    private static long length(NodeProto node, Map<String, TensorProto> constants) {
        long scanned = node.getAttributeList().stream().filter(a -> a.getName().equals("num_scan_inputs")).mapToLong(a -> a.getI())
                .findFirst().orElse(0);
        boolean first = node.getAttributeList().stream().noneMatch(a -> a.getName().equals("scan_input_axes"));
        for (int i = (int) Math.max(0, node.getInputCount() - scanned); first && i < node.getInputCount(); i++) {
            TensorProto t = constants.get(node.getInput(i));
            if (t != null && t.getDimsCount() > 0) {
                return Math.min(MAX_ROUNDS + 1, t.getDims(0));
            }
        }
        return -1;
    }
}
