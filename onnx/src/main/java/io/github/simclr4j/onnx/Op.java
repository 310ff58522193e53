package io.github.simclr4j.onnx;

import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.tribuo.util.onnx.ONNXAttribute;
import org.tribuo.util.onnx.ONNXOperator;

/** The operators of an image encoder that Tribuo's own list of operators lacks, all of the default domain. */
enum Op implements ONNXOperator {
    CAST("Cast", 1, Map.of("to", AttributeType.INT)),
    TRANSPOSE("Transpose", 1, Map.of("perm", AttributeType.INTS)),
    MUL("Mul", 2, Map.of()),
    ADD("Add", 2, Map.of()),
    CONV("Conv", 3, Map.of("kernel_shape", AttributeType.INTS, "strides", AttributeType.INTS, "pads", AttributeType.INTS)),
    RELU("Relu", 1, Map.of()),
    MAX_POOL("MaxPool", 1, Map.of("kernel_shape", AttributeType.INTS, "strides", AttributeType.INTS, "pads", AttributeType.INTS)),
    GLOBAL_AVERAGE_POOL("GlobalAveragePool", 1, Map.of()),
    FLATTEN("Flatten", 1, Map.of());

    private final String name;
    private final int inputs;
    private final Map<String, ONNXAttribute> attributes = new LinkedHashMap<>();

    Op(String name, int inputs, Map<String, AttributeType> attributes) {
        this.name = name;
        this.inputs = inputs;
        attributes.forEach((k, type) -> this.attributes.put(k, new ONNXAttribute(k, type, true)));
    }

    @Override
    public String getOpName() {
        return name;
    }

    @Override
    public int getNumInputs() {
        return inputs;
    }

    @Override
    public int getNumOptionalInputs() {
        return 0;
    }

    @Override
    public int getNumOutputs() {
        return 1;
    }

    @Override
    public Map<String, ONNXAttribute> getAttributes() {
        return attributes;
    }

    @Override
    public Set<String> getMandatoryAttributeNames() {
        return attributes.keySet();
    }

    @Override
    public int getOpVersion() {
        return EncoderWriter.OPSET;
    }

    @Override
    public String getOpDomain() {
        // null makes the default opsetProto() throw.
        return "";
    }
}
