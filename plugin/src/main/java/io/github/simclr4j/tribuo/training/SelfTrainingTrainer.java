package io.github.simclr4j.tribuo.training;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ListProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.IntProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor.ExtractorProvenance;
import io.github.simclr4j.tribuo.internal.EncoderFacts;
import io.github.simclr4j.tribuo.model.SelfTrainedModel;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.logging.Logger;
import org.tribuo.ConfigurableDataSource;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Feature;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Prediction;
import org.tribuo.Trainer;
import org.tribuo.classification.Label;
import org.tribuo.impl.ArrayExample;
import org.tribuo.provenance.ModelProvenance;
import org.tribuo.provenance.TrainerProvenance;
import org.tribuo.provenance.impl.TrainerProvenanceImpl;

/**
 * Self-training (Yarowsky, ACL 1995; "pseudo-labels" of Lee, 2013): a model trained on the labelled examples predicts the
 * unlabelled ones, those predicted with confidence join the training set under the predicted label, and so on until no
 * prediction is confident, no example is left, or after a number of rounds. An example that joined stays, with its label; so
 * it is safer to add few in a round, the most confident ones and as many of each class, than all at once.
 *
 * <p>Unlabelled are the examples of the training set whose output is unknown, and all of another data source, whatever their
 * outputs: cross-validation and evaluators, which refuse unknown outputs, need the second. It is read once, by the first
 * training. Its features must be of the encoder, and with the settings, that the training set's are of, where the provenances
 * tell.
 *
 * <p>The inner trainer is called with this trainer's invocation count in every round, so a training depends on that count,
 * the data and nothing else, and the model of a training in which nothing was confident is the inner trainer's own. A training
 * that fails counts as no invocation.
 */
public class SelfTrainingTrainer implements Trainer<Label> {
    /** Provenance of a training: how many examples each round added. */
    public static final String ADDED = "self-training-added";
    /** Provenance of a training: how many examples had a label. */
    public static final String LABELLED = "self-training-labelled";
    /** Provenance of a training: how many examples had none. */
    public static final String UNLABELLED = "self-training-unlabelled";
    /** Provenance of a training: why it ended, one of {@link Stop}. */
    public static final String STOP = "self-training-stop";

    private static final Logger logger = Logger.getLogger(SelfTrainingTrainer.class.getName());

    /** Why a training ended. */
    public enum Stop {
        /** No prediction was confident. */
        NOTHING_CONFIDENT,
        /** Every example has joined, or there was none without a label. */
        NOTHING_LEFT,
        /** After the most rounds that were allowed. */
        MAX_ROUNDS
    }

    @Config(mandatory = true, description = "Trainer of each round; its models must give probabilities.")
    private Trainer<Label> innerTrainer;

    @Config(description = "Unlabelled examples, whatever their outputs, beside those of the training set with the unknown one.")
    private ConfigurableDataSource<Label> unlabelled;

    @Config(description = "Probability from which on a prediction is confident, from 0 to 1.")
    private double threshold = 0.95;

    @Config(description = "The most examples of a class that a round adds, the most confident first; 0 for no limit.")
    private int perClass = 0;

    @Config(description = "Whether a round adds as many examples of one class as of every other.")
    private boolean balanced = false;

    @Config(description = "The most rounds that add examples.")
    private int maxRounds = 10;

    private final Invocations invocations = new Invocations();
    private List<Example<Label>> pool;

    /** For OLCUT. */
    protected SelfTrainingTrainer() {}

    /**
     * Takes every confident prediction for a label, for 10 rounds at most.
     *
     * @param innerTrainer trains each round; its models must give probabilities
     * @param threshold probability from which on a prediction is confident, from 0 to 1
     */
    public SelfTrainingTrainer(Trainer<Label> innerTrainer, double threshold) {
        this(innerTrainer, null, threshold, 0, false, 10);
    }

    /**
     * Makes a trainer.
     *
     * @param innerTrainer trains each round; its models must give probabilities
     * @param unlabelled unlabelled examples beside those of the training set whose output is unknown, or null
     * @param threshold probability from which on a prediction is confident, from 0 to 1
     * @param perClass the most examples of a class that a round adds, the most confident first; 0 for no limit
     * @param balanced whether a round adds as many examples of one class as of every other
     * @param maxRounds the most rounds that add examples
     * @throws PropertyException if a value is out of range
     */
    public SelfTrainingTrainer(
            Trainer<Label> innerTrainer, ConfigurableDataSource<Label> unlabelled, double threshold, int perClass,
            boolean balanced, int maxRounds) {
        this.innerTrainer = innerTrainer;
        this.unlabelled = unlabelled;
        this.threshold = threshold;
        this.perClass = perClass;
        this.balanced = balanced;
        this.maxRounds = maxRounds;
        postConfig();
    }

    /** Used by the OLCUT configuration system, and should not be called by external code. */
    @Override
    public void postConfig() {
        if (!(threshold >= 0 && threshold <= 1)) {
            throw new PropertyException("", "threshold", "Expected a probability from 0 to 1, found " + threshold);
        }
        if (perClass < 0) {
            throw new PropertyException("", "perClass", "Expected at least 0, found " + perClass);
        }
        if (maxRounds < 0) {
            throw new PropertyException("", "maxRounds", "Expected at least 0, found " + maxRounds);
        }
    }

    @Override
    public SelfTrainedModel train(Dataset<Label> examples) {
        return train(examples, Collections.emptyMap());
    }

    @Override
    public SelfTrainedModel train(Dataset<Label> examples, Map<String, Provenance> runProvenance) {
        return train(examples, runProvenance, INCREMENT_INVOCATION_COUNT);
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalArgumentException if no example has a label, the unlabelled data source has features of another encoder or
     *     with other settings, or the inner trainer's models give no probabilities
     */
    @Override
    public SelfTrainedModel train(Dataset<Label> examples, Map<String, Provenance> runProvenance, int invocationCount) {
        return invocations.train(invocationCount, this::getProvenance,
                (provenance, invocation) -> train(examples, runProvenance, provenance, invocation));
    }

    private SelfTrainedModel train(
            Dataset<Label> examples, Map<String, Provenance> runProvenance, TrainerProvenance provenance, int invocation) {
        checkSameFeatures(examples);
        List<Example<Label>> left = pool();
        List<Example<Label>> labelled = new ArrayList<>();
        Label unknown = examples.getOutputFactory().getUnknownOutput();
        for (Example<Label> example : examples) {
            (example.getOutput().equals(unknown) ? left : labelled).add(example);
        }
        if (labelled.isEmpty()) {
            throw new IllegalArgumentException("Expected some examples with a label to start from, found " + examples.size()
                    + " without");
        }
        Map<String, Provenance> run = new HashMap<>(runProvenance);
        run.put(LABELLED, new IntProvenance(LABELLED, labelled.size()));
        run.put(UNLABELLED, new IntProvenance(UNLABELLED, left.size()));

        List<IntProvenance> added = new ArrayList<>();
        Model<Label> model = fit(examples, labelled, invocation);
        Stop stop = left.isEmpty() ? Stop.NOTHING_LEFT : null;
        while (stop == null) {
            List<Example<Label>> confident = added.size() == maxRounds ? List.of() : takeConfident(model, left);
            if (confident.isEmpty()) {
                stop = added.size() == maxRounds ? Stop.MAX_ROUNDS : Stop.NOTHING_CONFIDENT;
            } else {
                labelled.addAll(confident);
                added.add(new IntProvenance(ADDED, confident.size()));
                logger.fine(() -> "Round " + added.size() + " added " + confident.size() + " examples");
                model = fit(examples, labelled, invocation);
                stop = left.isEmpty() ? Stop.NOTHING_LEFT : null;
            }
        }
        run.put(ADDED, new ListProvenance<>(added));
        run.put(STOP, new StringProvenance(STOP, stop.name()));
        return new SelfTrainedModel(model.getName(), new ModelProvenance(SelfTrainedModel.class.getName(),
                OffsetDateTime.now(), examples.getProvenance(), provenance, run), model);
    }

    private void checkSameFeatures(Dataset<Label> examples) {
        if (unlabelled == null) {
            return;
        }
        checkSame("the encoder with SHA-256 ", facts(examples.getProvenance(), ExtractorProvenance.ENCODER_HASH),
                facts(unlabelled.getProvenance(), ExtractorProvenance.ENCODER_HASH));
        checkSame("an encoder with the settings ", facts(examples.getProvenance(), ExtractorProvenance.SETTINGS),
                facts(unlabelled.getProvenance(), ExtractorProvenance.SETTINGS));
    }

    private static Set<String> facts(Provenance provenance, String key) {
        Set<String> facts = new TreeSet<>();
        EncoderFacts.of(provenance, key).forEach(text -> facts.add(EncoderFacts.withoutSources(text)));
        return facts;
    }

    private static void checkSame(String what, Set<String> labelled, Set<String> unlabelled) {
        if (!labelled.isEmpty() && !unlabelled.isEmpty() && !labelled.equals(unlabelled)) {
            throw new IllegalArgumentException("Expected unlabelled examples with features of " + what
                    + String.join(" and ", labelled) + ", as the training set's, found " + String.join(" and ", unlabelled)
                    + ": give both data sources the same extractor");
        }
    }

    /** The unlabelled examples beside the training set's; a list of the caller's own. */
    private synchronized List<Example<Label>> pool() {
        if (pool == null) {
            List<Example<Label>> read = new ArrayList<>();
            if (unlabelled != null) {
                unlabelled.forEach(read::add);
            }
            pool = read;
        }
        return new ArrayList<>(pool);
    }

    private Model<Label> fit(Dataset<Label> origin, List<Example<Label>> labelled, int invocation) {
        MutableDataset<Label> dataset = new MutableDataset<>(origin.getSourceProvenance(), origin.getOutputFactory());
        // A data set makes the names in its examples its own: give it copies.
        labelled.forEach(example -> dataset.add(example.copy()));
        Model<Label> model = innerTrainer.train(dataset, Collections.emptyMap(), invocation);
        if (!model.generatesProbabilities()) {
            throw new IllegalArgumentException("Expected an inner trainer whose models give probabilities (such as logistic "
                    + "regression), found " + innerTrainer.getClass().getName() + " whose " + model.getClass().getSimpleName()
                    + " gives scores: their confidence can't be compared");
        }
        return model;
    }

    private record Candidate(int index, Label label) {}

    /** Takes examples out of those left and returns labelled copies of them, in the order that they had. */
    private List<Example<Label>> takeConfident(Model<Label> model, List<Example<Label>> left) {
        List<Prediction<Label>> predictions = model.predict(left);
        Map<String, List<Candidate>> byClass = new TreeMap<>();
        model.getOutputIDInfo().getDomain().forEach(label -> byClass.put(label.getLabel(), new ArrayList<>()));
        for (int i = 0; i < predictions.size(); i++) {
            Label label = predictions.get(i).getOutput();
            if (label.getScore() >= threshold) {
                byClass.get(label.getLabel()).add(new Candidate(i, new Label(label.getLabel())));
            }
        }
        int most = perClass == 0 ? Integer.MAX_VALUE : perClass;
        if (balanced) {
            most = Math.min(most, byClass.values().stream().mapToInt(List::size).min().orElse(0));
        }
        List<Candidate> chosen = new ArrayList<>();
        for (List<Candidate> candidates : byClass.values()) {
            candidates.sort(Comparator.comparingDouble(c -> -predictions.get(c.index).getOutput().getScore()));
            chosen.addAll(candidates.subList(0, Math.min(most, candidates.size())));
        }
        chosen.sort(Comparator.comparingInt(Candidate::index));
        List<Example<Label>> confident = new ArrayList<>(chosen.size());
        Set<Integer> taken = new HashSet<>();
        for (Candidate c : chosen) {
            confident.add(labelled(left.get(c.index), c.label));
            taken.add(c.index);
        }
        List<Example<Label>> rest = new ArrayList<>(left.size() - taken.size());
        for (int i = 0; i < left.size(); i++) {
            if (!taken.contains(i)) {
                rest.add(left.get(i));
            }
        }
        left.clear();
        left.addAll(rest);
        return confident;
    }

    /**
     * A copy of an example with another label.
     *
     * @param label may be the unknown one
     */
    public static Example<Label> labelled(Example<Label> example, Label label) {
        String[] names = new String[example.size()];
        double[] values = new double[example.size()];
        int i = 0;
        for (Feature feature : example) {
            names[i] = feature.getName();
            values[i++] = feature.getValue();
        }
        ArrayExample<Label> copy = new ArrayExample<>(label, names, values, example.getMetadata());
        copy.setWeight(example.getWeight());
        return copy;
    }

    @Override
    public int getInvocationCount() {
        return invocations.get();
    }

    @Override
    public void setInvocationCount(int invocationCount) {
        invocations.set(invocationCount);
    }

    @Override
    public TrainerProvenance getProvenance() {
        return new TrainerProvenanceImpl(this);
    }

    @Override
    public String toString() {
        return "SelfTrainingTrainer(innerTrainer=" + innerTrainer + ",threshold=" + threshold + ",perClass=" + perClass
                + ",balanced=" + balanced + ",maxRounds=" + maxRounds + ")";
    }
}
