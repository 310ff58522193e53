// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo;

import com.google.protobuf.Any;
import java.io.IOException;
import org.tribuo.protos.ProtoSerializable;
import org.tribuo.protos.core.ModelProto;

/**
 * The former name of {@link io.github.simclr4j.tribuo.model.EncodedModel}.
 *
 * <p>It is kept so that saved models that contain the name can still be read. They are loaded as the new class.
 *
 * @since 0.1.0
 * @deprecated use {@link io.github.simclr4j.tribuo.model.EncodedModel}
 */
@Deprecated
public abstract class EncodedModel implements ProtoSerializable<ModelProto> {
    private EncodedModel() {}

    /**
     * Restores a saved model.
     *
     * @param version the serialized object version
     * @param className the class name
     * @param message the serialized data
     * @throws IOException if the encoder file is missing or has changed, or if the data are damaged
     */
    public static io.github.simclr4j.tribuo.model.EncodedModel<?> deserializeFromProto(
            int version, String className, Any message) throws IOException {
        return io.github.simclr4j.tribuo.model.EncodedModel.deserializeFromProto(version, className, message);
    }
}
