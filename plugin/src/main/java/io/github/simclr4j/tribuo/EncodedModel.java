package io.github.simclr4j.tribuo;

import com.google.protobuf.Any;
import java.io.IOException;
import org.tribuo.protos.ProtoSerializable;
import org.tribuo.protos.core.ModelProto;

/**
 * The old name of {@link io.github.simclr4j.tribuo.model.EncodedModel},
 * which saved models have that were written before it had its own package; they are loaded as that class.
 *
 * @deprecated only for what was written before
 */
@Deprecated
public abstract class EncodedModel implements ProtoSerializable<ModelProto> {
    private EncodedModel() {}

    /**
     * Deserialization factory.
     *
     * @param version the serialized object version
     * @param className the class name
     * @param message the serialized data
     * @throws IOException if the encoder it refers to is missing or changed, or the data are damaged
     */
    public static io.github.simclr4j.tribuo.model.EncodedModel<?> deserializeFromProto(int version, String className, Any message)
            throws IOException {
        return io.github.simclr4j.tribuo.model.EncodedModel.deserializeFromProto(version, className, message);
    }
}
