// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import ai.onnx.proto.OnnxMl.NodeProto;
import com.google.protobuf.ByteString;
import io.github.simclr4j.onnx.internal.OneLine;
import java.util.Set;

/** Makes the exceptions for a model that is damaged or unsafe, and checks names and texts. */
final class ModelErrors {
    private final String name;

    /**
     * Sets the name of the model.
     *
     * @param name the model's name in messages
     */
    ModelErrors(String name) {
        this.name = name;
    }

    InvalidEncoderException bad(String what) {
        return new InvalidEncoderException(name + " is damaged or unsafe: " + OneLine.of(what));
    }

    void define(String n, Set<String> names) throws InvalidEncoderException {
        if (n.isEmpty() || !names.add(n)) {
            throw bad("the name '" + n + "' is " + (n.isEmpty() ? "empty" : "used twice"));
        }
    }

    String text(ByteString bytes, String what) throws InvalidEncoderException {
        // JNI passes names as C strings.
        if (!bytes.isValidUtf8() || bytes.size() > 1 << 20) {
            throw bad("a " + what + " is not valid text");
        }
        String s = bytes.toStringUtf8();
        if (s.indexOf('\0') >= 0) {
            throw bad("a " + what + " is not valid text");
        }
        return s;
    }

    static String label(NodeProto node) {
        return node.getOpType() + (node.getName().isEmpty() ? "" : " " + node.getName());
    }
}
