// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Inlines a model's functions, as ONNX Runtime does, and rejects functions that are recursive or become too large.
 */
final class FunctionInliner {
    /** Maximum number of nodes and kilobytes after inlining. ONNX Runtime copies a function into each call, and nested calls multiply. */
    private static final long MAX_INLINED = 200_000;

    private final ModelErrors errors;
    private long inlined;

    FunctionInliner(ModelErrors errors) {
        this.errors = errors;
    }

    /** Counts the nodes and bytes that inlining a call copies. */
    void copied(List<NodeProto> nodes, long bytes) throws InvalidEncoderException {
        inlined += nodes.size() + bytes / 1024;
        if (inlined > MAX_INLINED) {
            throw errors.bad("its functions, once inlined, have more than " + MAX_INLINED + " nodes and kilobytes");
        }
        for (NodeProto node : nodes) {
            for (AttributeProto a : node.getAttributeList()) {
                copied(a.getG().getNodeList(), 0);
                for (GraphProto g : a.getGraphsList()) {
                    copied(g.getNodeList(), 0);
                }
            }
        }
    }

    /** Returns a function's nodes with references to attributes replaced by the attributes of the call. */
    List<NodeProto> bind(List<NodeProto> nodes, Map<String, AttributeProto> given) throws InvalidEncoderException {
        List<NodeProto> bound = new ArrayList<>();
        for (NodeProto node : nodes) {
            NodeProto.Builder b = node.toBuilder().clearAttribute();
            for (AttributeProto a : node.getAttributeList()) {
                if (a.getRefAttrName().isEmpty()) {
                    b.addAttribute(bind(a, given));
                    continue;
                }
                errors.text(a.getRefAttrNameBytes(), "attribute name");
                if (AttributeFields.filled(a) > 0) {
                    throw errors.bad("the attribute " + a.getName() + " of " + ModelErrors.label(node)
                            + " has both a value and a reference to another attribute");
                }
                AttributeProto value = given.get(a.getRefAttrName());
                if (value != null) {
                    copied(List.of(NodeProto.newBuilder().addAttribute(value).build()), value.getSerializedSize());
                    b.addAttribute(value.toBuilder().setName(a.getName()));
                }
            }
            bound.add(b.build());
        }
        return bound;
    }

    AttributeProto bind(AttributeProto a, Map<String, AttributeProto> given) throws InvalidEncoderException {
        if (!a.hasG() && a.getGraphsCount() == 0) {
            return a;
        }
        AttributeProto.Builder b = a.toBuilder().clearGraphs();
        if (a.hasG()) {
            b.setG(bind(a.getG(), given));
        }
        for (GraphProto g : a.getGraphsList()) {
            b.addGraphs(bind(g, given));
        }
        return b.build();
    }

    GraphProto bind(GraphProto g, Map<String, AttributeProto> given) throws InvalidEncoderException {
        return g.toBuilder()
                .clearNode()
                .addAllNode(bind(g.getNodeList(), given))
                .build();
    }

    /** Checks that a function is not recursive, directly or through others. */
    void calls(String f, Map<String, FunctionProto> all, Set<String> open, Set<String> done)
            throws InvalidEncoderException {
        if (done.contains(f)) {
            return;
        }
        if (!open.add(f) || open.size() > 50) {
            throw errors.bad("the function " + f + " calls itself, or calls nest too deeply");
        }
        Deque<NodeProto> nodes = new ArrayDeque<>(all.get(f).getNodeList());
        while (!nodes.isEmpty()) {
            NodeProto node = nodes.pop();
            if (all.containsKey(callee(node))) {
                calls(callee(node), all, open, done);
            }
            for (AttributeProto a : node.getAttributeList()) {
                nodes.addAll(a.getG().getNodeList());
                a.getGraphsList().forEach(g -> nodes.addAll(g.getNodeList()));
            }
        }
        open.remove(f);
        done.add(f);
    }

    /** Returns the canonical name of a domain, since the default domain has two names. */
    static String domain(String d) {
        return d.equals("ai.onnx") ? "" : d;
    }

    static String callee(NodeProto node) {
        return domain(node.getDomain()) + ":" + node.getOpType();
    }
}
