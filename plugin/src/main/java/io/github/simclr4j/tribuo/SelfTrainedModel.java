// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import org.tribuo.protos.ProtoSerializable;
import org.tribuo.protos.core.ModelProto;

/**
 * The former name of {@link io.github.simclr4j.tribuo.model.SelfTrainedModel}.
 *
 * <p>It is kept so that saved models that contain the name can still be read. They are loaded as the new class.
 *
 * @since 0.1.0
 * @deprecated use {@link io.github.simclr4j.tribuo.model.SelfTrainedModel}
 */
@Deprecated
public abstract class SelfTrainedModel implements ProtoSerializable<ModelProto> {
    private SelfTrainedModel() {}

    /**
     * Restores a saved model.
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
