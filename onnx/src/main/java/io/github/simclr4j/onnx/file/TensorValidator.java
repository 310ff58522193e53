// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import ai.onnx.proto.OnnxMl;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.github.simclr4j.onnx.internal.TensorTypes;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;

/** Checks tensors and value declarations: types, shapes, and that the data exist in the file or as external data. */
final class TensorValidator {
    private static final long MAX_DIMENSION = 1 << 24;

    private final ModelErrors errors;
    private final String name;
    private final Path folder;
    private final Set<Path> external = new TreeSet<>();

    TensorValidator(ModelErrors errors, String name, Path folder) {
        this.errors = errors;
        this.name = name;
        this.folder = folder;
    }

    /** Returns the files with the external data of the tensors checked so far. */
    Set<Path> external() {
        return external;
    }

    /** Checks a tensor with values. */
    void tensor(TensorProto t, String what) throws InvalidEncoderException {
        errors.text(t.getNameBytes(), "tensor name");
        String where = "the " + what + " " + t.getName();
        long n = TensorTypes.count(t);
        int bits = TensorTypes.bits(t.getDataType());
        if (n < 0 || t.getDimsCount() > 64) {
            throw errors.bad(where + " has the shape " + t.getDimsList());
        }
        if (bits < 0 || t.hasSegment()) {
            throw errors.bad(where + " has the unknown type " + t.getDataType());
        }
        long size = (n * bits + 7) / 8;
        if (t.getDataLocation() == TensorProto.DataLocation.EXTERNAL || t.getExternalDataCount() > 0) {
            if (t.getDataLocation() != TensorProto.DataLocation.EXTERNAL || t.hasRawData() || bits == 0) {
                throw errors.bad(where + " has data both in the file and outside it");
            }
            external.add(Tensors.external(t, size, folder, name).file());
            return;
        }
        if (!TensorTypes.isComplete(t, n, size)) {
            throw errors.bad(where + " has data that do not match its shape " + t.getDimsList() + " and type "
                    + t.getDataType());
        }
    }

    /** Checks the declaration of a value. */
    void value(ValueInfoProto v) throws InvalidEncoderException {
        errors.text(v.getNameBytes(), "value name");
        if (!v.getType().hasTensorType()) {
            return;
        }
        double elements = 1;
        for (OnnxMl.TensorShapeProto.Dimension d :
                v.getType().getTensorType().getShape().getDimList()) {
            errors.text(d.getDimParamBytes(), "dimension");
            if (d.hasDimValue() && (d.getDimValue() < 0 || d.getDimValue() > MAX_DIMENSION)) {
                throw errors.bad("the value " + v.getName() + " has a dimension of " + d.getDimValue());
            }
            elements *= Math.max(1, d.getDimValue());
        }
        if (elements > 4 * SizeLimits.MAX_ELEMENTS) {
            throw errors.bad(
                    "the value " + v.getName() + " has more than " + 4 * SizeLimits.MAX_ELEMENTS + " elements");
        }
        if (v.getType().getTensorType().getShape().getDimCount() > 64) {
            throw errors.bad("the value " + v.getName() + " has more than 64 dimensions");
        }
    }
}
