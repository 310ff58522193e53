// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.model;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.InvalidProtocolBufferException;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tribuo.ImmutableFeatureMap;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.Model;
import org.tribuo.ONNXExportable;
import org.tribuo.Output;
import org.tribuo.classification.Label;
import org.tribuo.ensemble.EnsembleModel;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.protos.core.LinearScalingTransformerProto;
import org.tribuo.protos.core.MeanStdDevTransformerProto;
import org.tribuo.protos.core.SimpleTransformProto;
import org.tribuo.protos.core.TransformerListProto;
import org.tribuo.protos.core.TransformerProto;
import org.tribuo.regression.Regressor;
import org.tribuo.transform.TransformedModel;
import org.tribuo.util.onnx.ONNXContext;
import org.tribuo.util.onnx.ONNXOperators;
import org.tribuo.util.onnx.ONNXPlaceholder;
import org.tribuo.util.onnx.ONNXRef;

/**
 * A Tribuo model of dense features as an ONNX graph with the float input {@value #INPUT} and the float output
 * {@value OnnxStitcher#OUTPUT}.
 *
 * @param graph the graph, in Tribuo's opset
 * @param outputs the names of the scores in order
 * @param kind the simple name of the exported model's class
 */
record HeadGraph(GraphProto graph, List<String> outputs, String kind) {
    static final String INPUT = "features";
    /** The prefix of the names of LibLinear's weights in graphs that Tribuo writes. */
    private static final String LIBLINEAR = "liblinear_weights";

    static HeadGraph of(Model<?> model, int dimension) {
        ONNXContext context = new ONNXContext();
        context.setName("classifier");
        ONNXPlaceholder input = context.floatInput(INPUT, dimension);
        ONNXPlaceholder output =
                context.floatOutput(OnnxStitcher.OUTPUT, model.getOutputIDInfo().size());
        ImmutableFeatureMap features = model.getFeatureIDMap();
        ONNXRef<?> x = select(input, features, dimension);
        Model<?> inner = model;
        while (!(inner instanceof ONNXExportable)) {
            if (inner instanceof TransformedModel<?> transformed) {
                x = transform(x, transformed, features);
                inner = transformed.getInnerModel();
            } else if (inner instanceof SelfTrainedModel trained) {
                inner = trained.getInnerModel();
            } else {
                throw notExportable("a model", inner);
            }
        }
        checkMembers(inner);
        try {
            context.assignTo(((ONNXExportable) inner).writeONNXGraph(x), output);
        } catch (RuntimeException e) {
            // Tribuo does not catch the exceptions of its arrays and buffers.
            throw new IllegalArgumentException(
                    "Tribuo can't write this " + inner.getClass().getName() + " as ONNX: "
                            + (e.getMessage() == null ? e : e.getMessage()),
                    e);
        }
        return new HeadGraph(
                likePredict(context.buildGraph()),
                names(model.getOutputIDInfo()),
                inner.getClass().getSimpleName());
    }

    private static IllegalArgumentException notExportable(String what, Model<?> found) {
        return new IllegalArgumentException(
                "Expected " + what + " that Tribuo can write as ONNX (ONNXExportable), found "
                        + found.getClass().getName());
    }

    /** Checks an ensemble's members, because Tribuo's own message would contain the member's whole provenance. */
    private static void checkMembers(Model<?> model) {
        if (model instanceof EnsembleModel<?> ensemble) {
            for (Model<?> member : ensemble.getModels()) {
                if (!(member instanceof ONNXExportable)) {
                    throw notExportable("an ensemble of models", member);
                }
                checkMembers(member);
            }
        }
    }

    /**
     * Corrects the probabilities of LibLinear's logistic regressions, also of those in an ensemble. Tribuo 4.3 exports a softmax of
     * their scores x. But LibLinear, and so {@code predict}, normalises {@code sigmoid(x)} by its sum over the classes (for two
     * classes, whose x are opposite, that sum is 1). This equals a softmax of {@code log(sigmoid(x)) = -softplus(-x)}, a form that
     * does not underflow.
     */
    private static GraphProto likePredict(GraphProto graph) {
        Set<String> scores = new HashSet<>();
        GraphProto.Builder result = graph.toBuilder().clearNode();
        for (NodeProto node : graph.getNodeList()) {
            if (node.getOpType().equals("Gemm") && node.getInput(1).startsWith(LIBLINEAR)) {
                scores.add(node.getOutput(0));
            }
            if (node.getOpType().equals("Softmax") && scores.contains(node.getInput(0))) {
                String x = node.getInput(0);
                result.addNode(node("Neg", x + "/neg", x))
                        .addNode(node("Softplus", x + "/softplus", x + "/neg"))
                        .addNode(node("Neg", x + "/log_sigmoid", x + "/softplus"))
                        .addNode(node.toBuilder().setInput(0, x + "/log_sigmoid"));
            } else {
                result.addNode(node);
            }
        }
        return result.build();
    }

    private static NodeProto node(String op, String output, String input) {
        return NodeProto.newBuilder()
                .setName(output)
                .setOpType(op)
                .addInput(input)
                .addOutput(output)
                .build();
    }

    /** Selects the model's features, in its order, from the encoder's. */
    private static ONNXRef<?> select(ONNXRef<?> input, ImmutableFeatureMap features, int dimension) {
        List<String> ours = Arrays.asList(SimCLRFeatureExtractor.featureNames(dimension));
        int[] columns = new int[features.size()];
        boolean identity = columns.length == dimension;
        boolean named = ours.containsAll(features.keySet());
        if (!named && !identity) {
            throw new IllegalArgumentException(
                    "Expected a model of the " + dimension + " features " + ours.get(0) + " to "
                            + ours.get(dimension - 1) + " of the encoder, found one of " + columns.length + ", "
                            + features.get(0).getName() + " to "
                            + features.get(columns.length - 1).getName());
        }
        for (int i = 0; i < columns.length; i++) {
            columns[i] = named ? number(features.get(i).getName()) : i;
            identity &= columns[i] == i;
        }
        return identity
                ? input
                : input.apply(ONNXOperators.GATHER, input.onnxContext().array("columns", columns), Map.of("axis", 1));
    }

    private static int number(String name) {
        return Integer.parseInt(name.substring(1));
    }

    /** The transformation {@code slope * max(low, min(high, x)) + shift} of a feature. */
    private record Line(double low, double high, double slope, double shift) {
        static final Line IDENTITY = straight(1, 0);

        static Line straight(double slope, double shift) {
            return new Line(Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, slope, shift);
        }

        boolean bounded() {
            return low != Double.NEGATIVE_INFINITY || high != Double.POSITIVE_INFINITY;
        }
    }

    /** Applies the transformations in float64, as Tribuo does: dividing by a small deviation would amplify float32 rounding errors. */
    private static ONNXRef<?> transform(ONNXRef<?> input, TransformedModel<?> model, ImmutableFeatureMap features) {
        Map<String, TransformerListProto> all =
                model.getTransformerMap().serialize().getTransformersMap();
        List<List<Line>> byFeature = new ArrayList<>();
        int stages = 0;
        for (int i = 0; i < features.size(); i++) {
            List<Line> lines = new ArrayList<>();
            for (TransformerProto t : all.getOrDefault(
                            features.get(i).getName(), TransformerListProto.getDefaultInstance())
                    .getTransformerList()) {
                lines.add(line(t));
            }
            byFeature.add(lines);
            stages = Math.max(stages, lines.size());
        }
        ONNXContext context = input.onnxContext();
        ONNXRef<?> x = input.apply(ONNXOperators.CAST, Map.of("to", TensorProto.DataType.DOUBLE_VALUE));
        for (int s = 0; s < stages; s++) {
            int stage = s;
            Line[] lines = byFeature.stream()
                    .map(l -> stage < l.size() ? l.get(stage) : Line.IDENTITY)
                    .toArray(Line[]::new);
            if (Arrays.stream(lines).anyMatch(Line::bounded)) {
                x = clamp(x, Arrays.stream(lines).mapToDouble(Line::low).toArray(), ONNXOperators.GREATER);
                x = clamp(x, Arrays.stream(lines).mapToDouble(Line::high).toArray(), ONNXOperators.LESS);
            }
            x = x.apply(
                    ONNXOperators.MUL,
                    context.array(
                            "slope",
                            Arrays.stream(lines).mapToDouble(Line::slope).toArray(),
                            false));
            x = x.apply(
                    ONNXOperators.ADD,
                    context.array(
                            "shift",
                            Arrays.stream(lines).mapToDouble(Line::shift).toArray(),
                            false));
        }
        return x.apply(ONNXOperators.CAST, Map.of("to", TensorProto.DataType.FLOAT_VALUE));
    }

    /** Clamps by a comparison and Where, since Tribuo's operators lack Max and Min. */
    private static ONNXRef<?> clamp(ONNXRef<?> x, double[] bounds, ONNXOperators keep) {
        ONNXRef<?> bound = x.onnxContext().array("bound", bounds, false);
        return x.apply(keep, bound).apply(ONNXOperators.WHERE, List.of(x, bound));
    }

    private static Line line(TransformerProto t) {
        try {
            if (t.getSerializedData().is(MeanStdDevTransformerProto.class)) {
                MeanStdDevTransformerProto p = t.getSerializedData().unpack(MeanStdDevTransformerProto.class);
                double slope = p.getTargetStdDev() / p.getObservedStdDev();
                return Line.straight(slope, p.getTargetMean() - p.getObservedMean() * slope);
            }
            if (t.getSerializedData().is(LinearScalingTransformerProto.class)) {
                LinearScalingTransformerProto p = t.getSerializedData().unpack(LinearScalingTransformerProto.class);
                double range = p.getObservedMax() - p.getObservedMin();
                if (range == 0) {
                    return Line.straight(0, (p.getTargetMax() - p.getTargetMin()) / 2);
                }
                double slope = (p.getTargetMax() - p.getTargetMin()) / range;
                return new Line(
                        p.getObservedMin(), p.getObservedMax(), slope, p.getTargetMin() - p.getObservedMin() * slope);
            }
            if (t.getSerializedData().is(SimpleTransformProto.class)) {
                SimpleTransformProto p = t.getSerializedData().unpack(SimpleTransformProto.class);
                switch (p.getOp()) {
                    case "add":
                        return Line.straight(1, p.getFirstOperand());
                    case "sub":
                        return Line.straight(1, -p.getFirstOperand());
                    case "mul":
                        return Line.straight(p.getFirstOperand(), 0);
                    case "div":
                        return Line.straight(1 / p.getFirstOperand(), 0);
                    default: // Not affine.
                }
            }
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalArgumentException("Damaged transformer: " + e.getMessage(), e);
        }
        throw new IllegalArgumentException(
                "Expected transformations that are affine (standardisation, linear scaling, add, "
                        + "sub, mul, div), found " + t.getClassName());
    }

    private static List<String> names(ImmutableOutputInfo<?> info) {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < info.size(); i++) {
            Output<?> output = info.getOutput(i);
            if (output instanceof Label label) {
                names.add(label.getLabel());
            } else if (output instanceof Regressor regressor) {
                names.add(regressor.getNames()[0]);
            } else if (output instanceof MultiLabel labels) {
                names.add(labels.getLabelString());
            } else {
                throw new IllegalArgumentException("Expected labels, multi-labels or regressors, found "
                        + output.getClass().getName());
            }
        }
        return names;
    }
}
