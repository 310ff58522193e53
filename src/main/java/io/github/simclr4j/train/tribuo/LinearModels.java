// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tribuo;

import com.google.protobuf.Any;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.IntProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import com.oracle.labs.mlrg.olcut.util.Pair;
import io.github.simclr4j.onnx.network.LinearClassifier;
import io.github.simclr4j.train.loop.EncoderTrainer;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import io.github.simclr4j.tribuo.model.EncodedModel;
import io.github.simclr4j.util.Uninterrupted;
import java.io.IOException;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.Map;
import org.tribuo.CategoricalInfo;
import org.tribuo.ImmutableFeatureMap;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.MutableFeatureMap;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.classification.sgd.linear.LinearSGDModel;
import org.tribuo.classification.sgd.protos.ClassificationLinearSGDProto;
import org.tribuo.impl.ModelDataCarrier;
import org.tribuo.math.LinearParameters;
import org.tribuo.math.la.DenseMatrix;
import org.tribuo.math.util.ExpNormalizer;
import org.tribuo.protos.core.ModelProto;
import org.tribuo.provenance.DatasetProvenance;
import org.tribuo.provenance.ModelProvenance;
import org.tribuo.provenance.SimpleDataSourceProvenance;
import org.tribuo.provenance.TrainerProvenance;

/** Creates Tribuo models from end-to-end training: the encoder, followed by Tribuo's linear model. */
final class LinearModels {
    /** Prefix of the keys in the model's provenance that have the metadata of the encoder that training started from. */
    static final String STARTED_FROM = "started-from-";

    private LinearModels() {}

    /**
     * Returns the encoder and the classifier as one model.
     *
     * @param name name of the model
     * @param result result of the training
     * @param outputs IDs of the classes, which are those of the classifier in any order
     * @param data provenance of the data set
     * @param trainer provenance of the trainer
     * @param run provenance of the run
     * @param start encoder that the training started from, or null
     * @param threads threads of ONNX Runtime, 0 for its default
     * @return the model, which the caller closes
     */
    static EncodedModel<Label> of(
            String name,
            EncoderTrainer.Result result,
            ImmutableOutputInfo<Label> outputs,
            DatasetProvenance data,
            TrainerProvenance trainer,
            Map<String, Provenance> run,
            StartingPoint start,
            int threads) {
        Map<String, Provenance> instance = new HashMap<>(run);
        if (start != null) {
            start.metadata().forEach((key, value) -> put(instance, STARTED_FROM + key, value));
            put(instance, STARTED_FROM + "sha256", start.sha256());
        }
        ModelProvenance provenance =
                new ModelProvenance(LinearSGDModel.class.getName(), OffsetDateTime.now(), data, trainer, instance);
        try {
            // Opening it may unpack ONNX Runtime. An interrupt after the last step must not lose the training.
            return Uninterrupted.run(() -> EncodedModel.containing(
                    new LabelFactory(),
                    result.onnx(),
                    name,
                    linear(name, result.classifier(), outputs, provenance),
                    threads));
        } catch (IOException e) {
            throw new IllegalStateException("The trained encoder is not a valid model: " + e.getMessage(), e);
        }
    }

    /** Returns the provenance of a data set that never existed as a Tribuo data set. */
    static DatasetProvenance data(String description, int images, int features, int classes) {
        LabelFactory factory = new LabelFactory();
        MutableDataset<Label> empty =
                new MutableDataset<>(new SimpleDataSourceProvenance(description, factory), factory);
        Map<String, Provenance> all = new HashMap<>();
        for (Pair<String, Provenance> p : empty.getProvenance()) {
            all.put(p.getA(), p.getB());
        }
        Map.of("num-examples", images, "num-features", features, "num-outputs", classes)
                .forEach((key, value) -> all.put(key, new IntProvenance(key, value)));
        return new DatasetProvenance(all);
    }

    private static void put(Map<String, Provenance> map, String key, String value) {
        map.put(key, new StringProvenance(key, value));
    }

    /** Returns Tribuo's linear model, which has no public constructor, from its serialised form, which is public and stable. */
    private static Model<Label> linear(
            String name, LinearClassifier classifier, ImmutableOutputInfo<Label> outputs, ModelProvenance provenance) {
        int dimension = classifier.dimension();
        MutableFeatureMap features = new MutableFeatureMap();
        for (String feature : ImageFeatureExtractor.names("h", dimension)) {
            features.put(new CategoricalInfo(feature));
        }
        // One row per class; the last column is the bias.
        DenseMatrix weights = new DenseMatrix(outputs.size(), dimension + 1);
        for (int i = 0; i < outputs.size(); i++) {
            int row = classifier.labels().indexOf(outputs.getOutput(i).getLabel());
            for (int j = 0; j < dimension; j++) {
                weights.set(i, j, classifier.weights()[row * dimension + j]);
            }
            weights.set(i, dimension, classifier.bias()[row]);
        }
        ClassificationLinearSGDProto proto = ClassificationLinearSGDProto.newBuilder()
                .setMetadata(new ModelDataCarrier<>(
                                name,
                                provenance,
                                new ImmutableFeatureMap(features),
                                outputs,
                                true,
                                provenance.getTribuoVersion())
                        .serialize())
                .setParams(new LinearParameters(weights).serialize())
                .setNormalizer(new ExpNormalizer().serialize())
                .build();
        return Model.deserialize(ModelProto.newBuilder()
                        .setClassName(LinearSGDModel.class.getName())
                        .setVersion(LinearSGDModel.CURRENT_VERSION)
                        .setSerializedData(Any.pack(proto))
                        .build())
                .castModel(Label.class);
    }
}
