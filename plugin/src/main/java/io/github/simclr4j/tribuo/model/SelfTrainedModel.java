// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.model;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.oracle.labs.mlrg.olcut.util.Pair;
import io.github.simclr4j.tribuo.protos.SelfTrainedModelProto;
import io.github.simclr4j.tribuo.training.SelfTrainingTrainer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Excuse;
import org.tribuo.Model;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.impl.ModelDataCarrier;
import org.tribuo.protos.core.ModelProto;
import org.tribuo.provenance.ModelProvenance;

/**
 * The result of {@link SelfTrainingTrainer}: the model of its last round with the provenance of the whole training. It predicts
 * exactly as the inner model does.
 *
 * @since 0.1.0
 */
public final class SelfTrainedModel extends Model<Label> {
    private static final long serialVersionUID = 1L;

    /** The version of the protobuf message. */
    public static final int CURRENT_VERSION = 0;

    private final Model<Label> innerModel;

    /**
     * Wraps the model of the last round.
     *
     * @param name the name of the model
     * @param provenance the provenance of the whole training
     * @param innerModel the model of the last round
     */
    public SelfTrainedModel(String name, ModelProvenance provenance, Model<Label> innerModel) {
        super(
                name,
                provenance,
                innerModel.getFeatureIDMap(),
                innerModel.getOutputIDInfo(),
                innerModel.generatesProbabilities());
        this.innerModel = innerModel;
    }

    /**
     * Restores a saved model.
     *
     * @param version the serialized object version
     * @param className the class name
     * @param message the serialized data
     * @throws InvalidProtocolBufferException if the data are damaged
     */
    public static SelfTrainedModel deserializeFromProto(int version, String className, Any message)
            throws InvalidProtocolBufferException {
        if (version < 0 || version > CURRENT_VERSION) {
            throw new IllegalArgumentException(
                    "Unknown version " + version + ", this class supports at most version " + CURRENT_VERSION);
        }
        SelfTrainedModelProto proto = message.unpack(SelfTrainedModelProto.class);
        ModelDataCarrier<?> carrier = ModelDataCarrier.deserialize(proto.getMetadata());
        return new SelfTrainedModel(
                carrier.name(),
                carrier.provenance(),
                Model.deserialize(proto.getModel()).castModel(Label.class));
    }

    @Override
    public ModelProto serialize() {
        return ModelProto.newBuilder()
                .setSerializedData(Any.pack(SelfTrainedModelProto.newBuilder()
                        .setMetadata(createDataCarrier().serialize())
                        .setModel(innerModel.serialize())
                        .build()))
                .setClassName(SelfTrainedModel.class.getName())
                .setVersion(CURRENT_VERSION)
                .build();
    }

    /** Returns the model of the last round, whose provenance is that of the round. */
    public Model<Label> getInnerModel() {
        return innerModel;
    }

    @Override
    public Prediction<Label> predict(Example<Label> example) {
        return innerModel.predict(example);
    }

    @Override
    public List<Prediction<Label>> predict(Dataset<Label> examples) {
        return innerModel.predict(examples);
    }

    @Override
    protected List<Prediction<Label>> innerPredict(Iterable<Example<Label>> examples) {
        return innerModel.predict(examples);
    }

    @Override
    public Map<String, List<Pair<String, Double>>> getTopFeatures(int n) {
        return innerModel.getTopFeatures(n);
    }

    @Override
    public Optional<Excuse<Label>> getExcuse(Example<Label> example) {
        return innerModel.getExcuse(example);
    }

    @Override
    protected SelfTrainedModel copy(String newName, ModelProvenance newProvenance) {
        return new SelfTrainedModel(newName, newProvenance, innerModel.copy());
    }
}
