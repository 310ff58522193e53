// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.internal;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Folds a batch norm into the convolution or dense layer before it:
 * {@code w' = w * gamma / sqrt(var + eps)}, {@code b' = beta + (b - mean) * gamma / sqrt(var + eps)}
 * (<a href="https://arxiv.org/abs/1712.05877">Jacob et al., CVPR 2018</a>, section 3.2).
 */
public final class BatchNormFolding {
    private BatchNormFolding() {}

    /**
     * Folds a batch norm into weights.
     *
     * @param kernel the weights, [outputs, ...], row-major; not modified
     * @param bias the bias, [outputs]; modified in place
     * @return the folded weights
     */
    public static float[] fold(
            float[] kernel, float[] bias, float[] gamma, float[] beta, float[] mean, float[] var, float epsilon) {
        float[] w = kernel.clone();
        int per = w.length / bias.length;
        for (int o = 0; o < bias.length; o++) {
            double f = gamma[o] / Math.sqrt((double) var[o] + epsilon);
            for (int i = 0; i < per; i++) {
                w[o * per + i] = (float) (w[o * per + i] * f);
            }
            bias[o] = (float) (beta[o] + (bias[o] - mean[o]) * f);
        }
        return w;
    }

    /** Folds each batch norm that is the only consumer of a convolution into that convolution. */
    public static ModelProto fold(ModelProto model) {
        GraphIndex index = new GraphIndex(model.getGraph());
        Map<NodeProto, NodeProto> norms = new HashMap<>();
        for (NodeProto n : model.getGraph().getNodeList()) {
            NodeProto next = n.getOpType().equals("Conv") ? index.onlyConsumer(n.getOutput(0)) : null;
            boolean bias = n.getInputCount() < 3 || index.floatConstant(n, 2) != null;
            if (next != null
                    && next.getOpType().equals("BatchNormalization")
                    && next.getOutputCount() == 1
                    && next.getInput(0).equals(n.getOutput(0))
                    && index.floatConstant(n, 1) != null
                    && bias
                    && List.of(1, 2, 3, 4).stream().allMatch(i -> index.floatConstant(next, i) != null)) {
                norms.put(n, next);
            }
        }
        if (norms.isEmpty()) {
            return model;
        }
        Set<NodeProto> gone = new HashSet<>(norms.values());
        GraphProto.Builder b = model.getGraph().toBuilder().clearNode();
        List<TensorProto> made = new ArrayList<>();
        for (NodeProto n : model.getGraph().getNodeList()) {
            NodeProto norm = norms.get(n);
            if (norm == null) {
                if (!gone.contains(n)) {
                    b.addNode(n);
                }
                continue;
            }
            TensorProto kernel = index.floatConstant(n, 1);
            TensorProto shift = index.floatConstant(n, 2);
            float[] bias = shift == null ? new float[Math.toIntExact(kernel.getDims(0))] : TensorValues.floats(shift);
            float epsilon = norm.getAttributeList().stream()
                    .filter(a -> a.getName().equals("epsilon"))
                    .findFirst()
                    .map(a -> a.getF())
                    .orElse(1e-5f);
            float[][] p = new float[5][];
            for (int i = 1; i < 5; i++) {
                p[i] = TensorValues.floats(index.floatConstant(norm, i));
            }
            float[] w = fold(TensorValues.floats(kernel), bias, p[1], p[2], p[3], p[4], epsilon);
            String out = norm.getOutput(0);
            made.add(TensorValues.floats(out + "_folded_weight", w, TensorValues.dims(kernel)));
            made.add(TensorValues.floats(out + "_folded_bias", bias, bias.length));
            b.addNode(n.toBuilder()
                    .clearInput()
                    .clearOutput()
                    .addInput(n.getInput(0))
                    .addInput(out + "_folded_weight")
                    .addInput(out + "_folded_bias")
                    .addOutput(out));
        }
        b.addAllInitializer(made);
        return model.toBuilder().setGraph(GraphIndex.withoutUnused(b.build())).build();
    }
}
