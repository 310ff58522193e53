// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;

/** Checks which fields of an attribute contain values. */
final class AttributeFields {
    private AttributeFields() {}

    /** Returns the number of fields in which an attribute has a value. */
    static int filled(AttributeProto a) {
        return (int) a.getAllFields().keySet().stream()
                .filter(f -> switch (f.getNumber()) {
                    case AttributeProto.NAME_FIELD_NUMBER,
                            AttributeProto.REF_ATTR_NAME_FIELD_NUMBER,
                            AttributeProto.DOC_STRING_FIELD_NUMBER,
                            AttributeProto.TYPE_FIELD_NUMBER -> false;
                    default -> true;
                })
                .count();
    }

    /** Returns whether the value is in the field for the attribute's type, and in no other. */
    static boolean right(AttributeProto a) {
        boolean there = switch (a.getType()) {
            case FLOAT -> a.hasF();
            case INT -> a.hasI();
            case STRING -> a.hasS();
            case TENSOR -> a.hasT();
            case GRAPH -> a.hasG();
            case FLOATS, INTS, STRINGS, TENSORS, GRAPHS -> true;
            default -> false;
        };
        int filled = filled(a);
        return there && (filled == 0 || filled == 1 && list(a));
    }

    /** Returns whether only the list for the attribute's type has values. */
    private static boolean list(AttributeProto a) {
        AttributeType t = a.getType();
        return (a.getFloatsCount() == 0 || t == AttributeType.FLOATS)
                && (a.getIntsCount() == 0 || t == AttributeType.INTS)
                && (a.getStringsCount() == 0 || t == AttributeType.STRINGS)
                && (a.getTensorsCount() == 0 || t == AttributeType.TENSORS)
                && (a.getGraphsCount() == 0 || t == AttributeType.GRAPHS);
    }
}
