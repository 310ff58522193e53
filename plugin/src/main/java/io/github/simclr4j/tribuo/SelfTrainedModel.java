package io.github.simclr4j.tribuo;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import org.tribuo.protos.ProtoSerializable;
import org.tribuo.protos.core.ModelProto;

/**
 * The old name of {@link io.github.simclr4j.tribuo.model.SelfTrainedModel},
 * which saved models have that were written before it had its own package; they are loaded as that class.
 *
 * @deprecated only for what was written before
 */
@Deprecated
public abstract class SelfTrainedModel implements ProtoSerializable<ModelProto> {
    private SelfTrainedModel() {}

    /**
     * Deserialization factory.
     *
     * @param version the serialized object version
     * @param className the class name
     * @param message the serialized data
     * @throws InvalidProtocolBufferException if the data are damaged
     */
    public static io.github.simclr4j.tribuo.model.SelfTrainedModel deserializeFromProto(
            int version, String className, Any message) throws InvalidProtocolBufferException {
        return io.github.simclr4j.tribuo.model.SelfTrainedModel.deserializeFromProto(version, className, message);
    }
}
