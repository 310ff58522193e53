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

/** Makes Tribuo's models of what was trained end to end: the encoder with Tribuo's own linear model behind it. */
final class LinearModels {
    /** What is known of the encoder that a training started from is in the model's provenance under this and its own key. */
    static final String STARTED_FROM = "started-from-";

    private LinearModels() {}

    /**
     * The encoder and the classifier as one model.
     *
     * @param outputs numbers the classes; those of the classifier, in any order
     * @param start what the training started from, or null
     * @return the caller's to close
     */
    static EncodedModel<Label> of(String name, EncoderTrainer.Result result, ImmutableOutputInfo<Label> outputs,
            DatasetProvenance data, TrainerProvenance trainer, Map<String, Provenance> run, StartingPoint start, int threads) {
        Map<String, Provenance> instance = new HashMap<>(run);
        if (start != null) {
            start.metadata().forEach((key, value) -> put(instance, STARTED_FROM + key, value));
            put(instance, STARTED_FROM + "sha256", start.sha256());
        }
        ModelProvenance provenance =
                new ModelProvenance(LinearSGDModel.class.getName(), OffsetDateTime.now(), data, trainer, instance);
        try {
            return EncodedModel.containing(new LabelFactory(), result.onnx(), name,
                    linear(name, result.classifier(), outputs, provenance), threads);
        } catch (IOException e) {
            throw new IllegalStateException("The trained encoder is not sound: " + e.getMessage(), e);
        }
    }

    /** That of a data set which never was one of Tribuo's. */
    static DatasetProvenance data(String description, int images, int features, int classes) {
        LabelFactory factory = new LabelFactory();
        MutableDataset<Label> empty = new MutableDataset<>(new SimpleDataSourceProvenance(description, factory), factory);
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

    /** Tribuo's linear model has no public constructor; its saved form is public and stable. */
    private static Model<Label> linear(String name, LinearClassifier classifier, ImmutableOutputInfo<Label> outputs,
            ModelProvenance provenance) {
        int dimension = classifier.dimension();
        MutableFeatureMap features = new MutableFeatureMap();
        for (String feature : ImageFeatureExtractor.names("h", dimension)) {
            features.put(new CategoricalInfo(feature));
        }
        // A row a class; the last column is the bias.
        DenseMatrix weights = new DenseMatrix(outputs.size(), dimension + 1);
        for (int i = 0; i < outputs.size(); i++) {
            int row = classifier.labels().indexOf(outputs.getOutput(i).getLabel());
            for (int j = 0; j < dimension; j++) {
                weights.set(i, j, classifier.weights()[row * dimension + j]);
            }
            weights.set(i, dimension, classifier.bias()[row]);
        }
        ClassificationLinearSGDProto proto = ClassificationLinearSGDProto.newBuilder()
                .setMetadata(new ModelDataCarrier<>(name, provenance, new ImmutableFeatureMap(features), outputs, true,
                        provenance.getTribuoVersion()).serialize())
                .setParams(new LinearParameters(weights).serialize())
                .setNormalizer(new ExpNormalizer().serialize())
                .build();
        return Model.deserialize(ModelProto.newBuilder()
                .setClassName(LinearSGDModel.class.getName())
                .setVersion(LinearSGDModel.CURRENT_VERSION)
                .setSerializedData(Any.pack(proto))
                .build()).castModel(Label.class);
    }
}
