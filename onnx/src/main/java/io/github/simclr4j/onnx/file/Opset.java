package io.github.simclr4j.onnx.file;

import ai.onnx.proto.OnnxMl;
import java.util.List;

/** The versions of ONNX's default operator set that this library writes, and the file format that goes with each. */
public final class Opset {
    /** What an encoder is written in when nothing else is asked for. */
    public static final int DEFAULT = 13;
    /** The oldest: the first with a scale and a zero point for each channel. */
    public static final int OLDEST = 13;
    /** The newest that ONNX Runtime 1.28 runs; a test opens a file of every version. */
    public static final int NEWEST = 26;

    private Opset() {}

    /** Checks a version that a user chose. */
    public static int check(int opset) {
        if (opset < OLDEST || opset > NEWEST) {
            throw new IllegalArgumentException(
                    "Opset must be from " + OLDEST + " to " + NEWEST + ", found " + opset);
        }
        return opset;
    }

    /** The IR version of the first ONNX release that had the opset (onnx/docs/Versioning.md). */
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

    /** The version of the default domain that a model imports, or 0. */
    public static int of(List<OnnxMl.OperatorSetIdProto> imports) {
        return imports.stream()
                .filter(o -> o.getDomain().isEmpty() || o.getDomain().equals("ai.onnx"))
                .mapToInt(o -> (int) o.getVersion())
                .max()
                .orElse(0);
    }

    public static OnnxMl.OperatorSetIdProto proto(int opset) {
        return OnnxMl.OperatorSetIdProto.newBuilder().setDomain("").setVersion(opset).build();
    }
}
