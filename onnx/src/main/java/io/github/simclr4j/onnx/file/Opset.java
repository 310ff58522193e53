// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import ai.onnx.proto.OnnxMl;
import java.util.List;

/**
 * The versions of ONNX's default operator set that this library writes, and the IR version for each.
 *
 * @since 0.1.0
 */
public final class Opset {
    /** The default opset of encoders. */
    public static final int DEFAULT = 13;
    /** The oldest opset that is supported: the first with per-channel quantization. */
    public static final int OLDEST = 13;
    /** The newest opset that is supported: the newest that ONNX Runtime 1.28 runs. A test opens a file of every version. */
    public static final int NEWEST = 26;

    private Opset() {}

    /**
     * Checks that an opset is supported, and returns it.
     *
     * @param opset the opset
     * @throws IllegalArgumentException if the opset is out of range
     */
    public static int check(int opset) {
        if (opset < OLDEST || opset > NEWEST) {
            throw new IllegalArgumentException("Opset must be from " + OLDEST + " to " + NEWEST + ", found " + opset);
        }
        return opset;
    }

    /**
     * Returns the IR version of the first ONNX release with an opset
     * (<a href="https://github.com/onnx/onnx/blob/main/docs/Versioning.md">ONNX Versioning</a>).
     *
     * @param opset the opset
     */
    public static int irVersion(int opset) {
        if (opset <= 14) {
            return 7;
        } else if (opset <= 18) {
            return 8;
        } else if (opset <= 20) {
            return 9;
        } else if (opset <= 22) {
            return 10;
        }
        return Math.min(opset - 12, 13);
    }

    /**
     * Returns the version of the default operator set that a model imports.
     *
     * @param imports the imports of the model
     * @return the version, or 0 if the model does not import the default operator set
     */
    public static int of(List<OnnxMl.OperatorSetIdProto> imports) {
        return imports.stream()
                .filter(o -> o.getDomain().isEmpty() || o.getDomain().equals("ai.onnx"))
                .mapToInt(o -> (int) o.getVersion())
                .max()
                .orElse(0);
    }

    public static OnnxMl.OperatorSetIdProto proto(int opset) {
        return OnnxMl.OperatorSetIdProto.newBuilder()
                .setDomain("")
                .setVersion(opset)
                .build();
    }
}
