// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.internal;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The schema of one version of an operator.
 *
 * @param since the first opset of the version
 * @param inputs minimum and maximum number of inputs
 * @param outputs minimum and maximum number of outputs
 * @param deprecated whether the operator was removed from ONNX in this version
 * @param takes the inputs; the last may be variadic
 * @param gives the outputs; the last may be variadic
 * @param attributes the attributes by name
 */
record OperatorSchema(
        int since,
        Count inputs,
        Count outputs,
        boolean deprecated,
        List<Parameter> takes,
        List<Parameter> gives,
        Map<String, Attribute> attributes) {
    /** The name that marks an operator which may have further attributes. */
    private static final String OTHERS = "*";

    /**
     * A range of the number of inputs or outputs.
     *
     * @param least the minimum
     * @param most the maximum
     */
    record Count(int least, int most) {}

    /**
     * An attribute.
     *
     * @param type the type of its value
     * @param required whether it is required
     */
    record Attribute(AttributeProto.AttributeType type, boolean required) {}

    /**
     * The types that a value may have.
     *
     * @param tensors ONNX's numbers of the allowed element types of tensors
     * @param others whether values that are not tensors are allowed
     */
    record Types(BitSet tensors, boolean others) {}

    /**
     * An input or output.
     *
     * @param name its name in ONNX's documentation
     * @param variable the type variable, such as T, whose type is the same for all values that share it; may be empty
     * @param types the allowed types
     * @param needed whether it is required
     * @param same whether all values of a variadic parameter have the same type
     */
    record Parameter(String name, String variable, Types types, boolean needed, boolean same) {}

    /**
     * Checks the number of a node's inputs and outputs, and its attributes.
     *
     * @throws IllegalArgumentException if they do not match the schema; the message states the reason
     */
    void check(NodeProto n) {
        ports("inputs", n.getInputList(), inputs, takes);
        ports("outputs", n.getOutputList(), outputs, gives);
        Set<String> seen = new HashSet<>();
        for (AttributeProto a : n.getAttributeList()) {
            seen.add(a.getName());
            Attribute known = attributes.get(a.getName());
            if (a.getName().startsWith("__") || known == null && attributes.containsKey(OTHERS)) {
                // ONNX reserves such names for implementations.
                continue;
            }
            require(
                    known != null,
                    "unknown attribute " + a.getName() + ", expected " + new TreeSet<>(attributes.keySet()));
            require(
                    a.getType() == known.type(),
                    "attribute " + a.getName() + " is " + a.getType() + ", expected " + known.type());
        }
        attributes.forEach(
                (name, a) -> require(!a.required() || seen.contains(name), "attribute " + name + " is missing"));
    }

    private static void ports(String what, List<String> names, Count count, List<Parameter> parameters) {
        int n = names.size();
        require(
                n >= count.least() && n <= count.most(),
                "expected " + count.least() + " to "
                        + (count.most() == Integer.MAX_VALUE ? "any number of" : count.most()) + " " + what + ", found "
                        + n);
        for (int i = 0; i < (parameters.isEmpty() ? 0 : n); i++) {
            require(
                    !names.get(i).isEmpty() || !parameter(parameters, i).needed(),
                    what.substring(0, what.length() - 1) + " " + i + " ("
                            + parameter(parameters, i).name() + ") is missing");
        }
    }

    /**
     * Checks the types of a node's inputs, and sets those of its outputs.
     *
     * @param in the inputs; null for an unknown or missing input
     * @param out the outputs; a type of 0 is not known yet
     * @throws IllegalArgumentException if a type does not fit the operator or another value
     */
    void types(List<TensorShape> in, TensorShape[] out) {
        Map<String, Integer> bound = new HashMap<>();
        for (int i = 0; i < in.size(); i++) {
            if (in.get(i) != null && in.get(i).type() != 0) {
                bind(parameter(takes, i), in.get(i).type(), bound);
            }
        }
        for (int i = 0; i < out.length; i++) {
            Parameter p = parameter(gives, i);
            int type = out[i] == null ? 0 : out[i].type();
            if (type == 0
                    && p.types().tensors().cardinality() == 1
                    && !p.types().others()) {
                type = p.types().tensors().nextSetBit(0);
            } else if (type == 0) {
                type = bound.getOrDefault(p.variable(), 0);
            }
            if (type != 0) {
                bind(p, type, bound);
                out[i] = new TensorShape(type, out[i] == null ? null : out[i].dims());
            }
        }
    }

    private static Parameter parameter(List<Parameter> all, int i) {
        return all.get(Math.min(i, all.size() - 1));
    }

    private static void bind(Parameter p, int type, Map<String, Integer> bound) {
        require(
                type > 0 && p.types().tensors().get(type),
                p.name() + " is " + TensorTypes.name(type) + ", which the operator does not accept here");
        if (p.same() && !p.variable().isEmpty()) {
            int other = bound.getOrDefault(p.variable(), type);
            require(
                    other == type,
                    "operands differ in type: " + p.name() + " is " + TensorTypes.name(type) + ", another is "
                            + TensorTypes.name(other));
            bound.put(p.variable(), type);
        }
    }

    static void require(boolean ok, String message) {
        if (!ok) {
            throw new IllegalArgumentException(message);
        }
    }
}
