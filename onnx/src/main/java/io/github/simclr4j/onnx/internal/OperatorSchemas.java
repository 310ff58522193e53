// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.internal;

import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import io.github.simclr4j.onnx.internal.OperatorSchema.Attribute;
import io.github.simclr4j.onnx.internal.OperatorSchema.Count;
import io.github.simclr4j.onnx.internal.OperatorSchema.Parameter;
import io.github.simclr4j.onnx.internal.OperatorSchema.Types;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The operators of ONNX's default domain and of {@code ai.onnx.ml} in all versions, according to ONNX's own schemas. They are read once
 * from {@code operators.txt}, which {@code operator_schemas.py} generates.
 */
final class OperatorSchemas {
    private static final Map<String, TreeMap<Integer, OperatorSchema>> ALL = read();

    private OperatorSchemas() {}

    /** Returns whether all operators of a domain are known, so that an unknown operator does not exist. */
    static boolean knows(String domain) {
        return domain.isEmpty() || domain.equals("ai.onnx") || domain.equals("ai.onnx.ml");
    }

    /**
     * Returns the version of an operator in an opset, or null if there is none.
     *
     * @param domain the operator's domain
     * @param operator the operator's name
     * @param opset version of the domain that the model imports
     */
    static OperatorSchema find(String domain, String operator, int opset) {
        TreeMap<Integer, OperatorSchema> versions = ALL.get((domain.equals("ai.onnx") ? "" : domain) + ":" + operator);
        return versions == null || versions.floorEntry(opset) == null
                ? null
                : versions.floorEntry(opset).getValue();
    }

    private static Map<String, TreeMap<Integer, OperatorSchema>> read() {
        Map<String, Types> types = new HashMap<>();
        Map<String, TreeMap<Integer, OperatorSchema>> all = new HashMap<>();
        try (BufferedReader in = new BufferedReader(new InputStreamReader(
                OperatorSchemas.class.getResourceAsStream("operators.txt"), StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                if (line.startsWith("set ")) {
                    int colon = line.indexOf(':');
                    types.put(line.substring(4, colon), types(line.substring(colon + 1)));
                } else if (!line.startsWith("#")) {
                    String[] f = line.split("\\|", -1);
                    all.computeIfAbsent(f[0] + ":" + f[1], k -> new TreeMap<>())
                            .put(Integer.valueOf(f[2]), schema(f, types));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return all;
    }

    private static Types types(String text) {
        BitSet tensors = new BitSet();
        boolean others = false;
        for (String t : text.strip().split(" ")) {
            if (t.equals("*")) {
                others = true;
            } else if (!t.isEmpty()) {
                tensors.set(Integer.parseInt(t));
            }
        }
        return new Types(tensors, others);
    }

    private static OperatorSchema schema(String[] f, Map<String, Types> types) {
        Map<String, Attribute> attributes = new HashMap<>();
        for (String a : list(f[10])) {
            int colon = a.indexOf(':');
            String type = a.substring(colon + 1).replace("!", "");
            attributes.put(a.substring(0, colon), new Attribute(AttributeType.valueOf(type), a.endsWith("!")));
        }
        return new OperatorSchema(
                Integer.parseInt(f[2]),
                count(f[3], f[4]),
                count(f[5], f[6]),
                !f[7].isEmpty(),
                parameters(f[8], types),
                parameters(f[9], types),
                attributes);
    }

    private static Count count(String least, String most) {
        return new Count(Integer.parseInt(least), most.equals("-") ? Integer.MAX_VALUE : Integer.parseInt(most));
    }

    private static List<Parameter> parameters(String text, Map<String, Types> types) {
        List<Parameter> all = new ArrayList<>();
        for (String p : list(text)) {
            String[] f = p.split(":", -1);
            all.add(new Parameter(f[0], f[1], types.get(f[2]), !f[3].equals("O"), f[4].equals("1")));
        }
        return all;
    }

    private static List<String> list(String text) {
        return text.isEmpty() ? List.of() : List.of(text.split(","));
    }
}
