// SPDX-License-Identifier: Apache-2.0
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
 * Trains a classifier on labelled and unlabelled examples by self-training
 * (<a href="https://aclanthology.org/P95-1026/">Yarowsky, ACL 1995</a>; the "pseudo-labels" of Lee, ICML workshop 2013).
 *
 * <p>A model trained on the labelled examples predicts the unlabelled ones. Examples predicted with confidence join the training set
 * under their predicted label, and a new model is trained. This repeats until no prediction is confident, no unlabelled example is
 * left, or the maximum number of rounds is reached. An example that has joined is never removed, so it is safer to add only the most
 * confident examples in each round, and equally many of each class.
 *
 * <p>The unlabelled examples are:
 *
 * <ul>
 *   <li>those of the training set whose output is unknown
 *   <li>all examples of an optional second data source, whatever their outputs. Use it with cross-validation and evaluators, which
 *       reject unknown outputs. It is read once, by the first training. If the provenances record the encoder and its settings,
 *       these must be the same as the training set's.
 * </ul>
 *
 * <p>Every round calls the inner trainer with this trainer's invocation count, so the result depends only on that count and the data.
 * If no prediction is confident, the model is the one that the inner trainer makes alone. A training that fails does not count as an
 * invocation.
 *
 * @since 0.1.0
 */
public class SelfTrainingTrainer implements Trainer<Label> {
    /** The provenance key of the number of examples that each round added. */
    public static final String ADDED = "self-training-added";
    /** The provenance key of the number of labelled examples. */
    public static final String LABELLED = "self-training-labelled";
    /** The provenance key of the number of unlabelled examples. */
    public static final String UNLABELLED = "self-training-unlabelled";
    /** The provenance key of the reason why the training ended, one of {@link Stop}. */
    public static final String STOP = "self-training-stop";

    private static final Logger logger = Logger.getLogger(SelfTrainingTrainer.class.getName());

    /** The reason why a training ended. */
    public enum Stop {
        /** No prediction was confident. */
        NOTHING_CONFIDENT,
        /** All unlabelled examples have joined the training set, or there were none. */
        NOTHING_LEFT,
        /** The maximum number of rounds was reached. */
        MAX_ROUNDS
    }

    @Config(mandatory = true, description = "The trainer of each round; its models must predict probabilities.")
    private Trainer<Label> innerTrainer;

    @Config(
            description =
                    "Further unlabelled examples, whose outputs are ignored, beside the training set's with unknown output.")
    private ConfigurableDataSource<Label> unlabelled;

    @Config(description = "Minimum probability of a confident prediction, from 0 to 1.")
    private double threshold = 0.95;

    @Config(
            description =
                    "Maximum number of examples per class that a round adds, the most confident first; 0 for no limit.")
    private int perClass = 0;

    @Config(description = "Whether each round adds the same number of examples of every class.")
    private boolean balanced = false;

    @Config(description = "Maximum number of rounds that add examples.")
    private int maxRounds = 10;

    private final Invocations invocations = new Invocations();
    private List<Example<Label>> pool;

    /** Required by OLCUT. */
    protected SelfTrainingTrainer() {}

    /**
     * Makes a trainer that adds every confidently predicted example, in at most 10 rounds.
     *
     * @param innerTrainer the trainer of each round; its models must predict probabilities
     * @param threshold minimum probability of a confident prediction, from 0 to 1
     */
    public SelfTrainingTrainer(Trainer<Label> innerTrainer, double threshold) {
        this(innerTrainer, null, threshold, 0, false, 10);
    }

    /**
     * Makes a trainer.
     *
     * @param innerTrainer the trainer of each round; its models must predict probabilities
     * @param unlabelled further unlabelled examples beside those of the training set with unknown output, or null
     * @param threshold minimum probability of a confident prediction, from 0 to 1
     * @param perClass maximum number of examples per class that a round adds, the most confident first; 0 for no limit
     * @param balanced whether each round adds the same number of examples of every class
     * @param maxRounds maximum number of rounds that add examples, at least 0
     * @throws PropertyException if a value is out of range
     */
    public SelfTrainingTrainer(
            Trainer<Label> innerTrainer,
            ConfigurableDataSource<Label> unlabelled,
            double threshold,
            int perClass,
            boolean balanced,
            int maxRounds) {
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
     * @throws IllegalArgumentException if no example has a label, if the features of the unlabelled data source come from another
     *     encoder or other settings, or if the inner trainer's models do not predict probabilities
     */
    @Override
    public SelfTrainedModel train(Dataset<Label> examples, Map<String, Provenance> runProvenance, int invocationCount) {
        return invocations.train(
                invocationCount,
                this::getProvenance,
                (provenance, invocation) -> train(examples, runProvenance, provenance, invocation));
    }

    private SelfTrainedModel train(
            Dataset<Label> examples,
            Map<String, Provenance> runProvenance,
            TrainerProvenance provenance,
            int invocation) {
        checkSameFeatures(examples);
        List<Example<Label>> left = pool();
        List<Example<Label>> labelled = new ArrayList<>();
        Label unknown = examples.getOutputFactory().getUnknownOutput();
        for (Example<Label> example : examples) {
            (example.getOutput().equals(unknown) ? left : labelled).add(example);
        }
        if (labelled.isEmpty()) {
            throw new IllegalArgumentException(
                    "Expected at least one labelled example, found " + examples.size() + " without a label");
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
        return new SelfTrainedModel(
                model.getName(),
                new ModelProvenance(
                        SelfTrainedModel.class.getName(),
                        OffsetDateTime.now(),
                        examples.getProvenance(),
                        provenance,
                        run),
                model);
    }

    private void checkSameFeatures(Dataset<Label> examples) {
        if (unlabelled == null) {
            return;
        }
        checkSame(
                "the encoder with SHA-256 ",
                facts(examples.getProvenance(), ExtractorProvenance.ENCODER_HASH),
                facts(unlabelled.getProvenance(), ExtractorProvenance.ENCODER_HASH));
        checkSame(
                "an encoder with the settings ",
                facts(examples.getProvenance(), ExtractorProvenance.SETTINGS),
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
                    + String.join(" and ", labelled) + ", like the training set's, found "
                    + String.join(" and ", unlabelled)
                    + ": give both data sources the same extractor");
        }
    }

    /** Returns the examples of the unlabelled data source in a new list. */
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
        // A dataset replaces the feature names in its examples, so it gets copies.
        labelled.forEach(example -> dataset.add(example.copy()));
        Model<Label> model = innerTrainer.train(dataset, Collections.emptyMap(), invocation);
        if (!model.generatesProbabilities()) {
            throw new IllegalArgumentException(
                    "Expected an inner trainer whose models predict probabilities (such as logistic "
                            + "regression), found " + innerTrainer.getClass().getName() + " whose "
                            + model.getClass().getSimpleName()
                            + " predicts scores, which can't be compared with the threshold");
        }
        return model;
    }

    private record Candidate(int index, Label label) {}

    /** Removes the confident examples from the remaining ones, and returns labelled copies of them in their order. */
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
            most = Math.min(
                    most, byClass.values().stream().mapToInt(List::size).min().orElse(0));
        }
        List<Candidate> chosen = new ArrayList<>();
        for (List<Candidate> candidates : byClass.values()) {
            candidates.sort(Comparator.comparingDouble(
                    c -> -predictions.get(c.index).getOutput().getScore()));
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
     * Copies an example with another label.
     *
     * @param example the example to copy
     * @param label the label of the copy, which may be the unknown label
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
