package io.github.simclr4j.tribuo.model;

import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import io.github.simclr4j.tribuo.internal.EncoderFacts;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.tribuo.Model;

/**
 * Whether a model was trained on the features that an encoder gives when it is opened from its file alone, as far as that can be
 * known. Each check throws IllegalArgumentException if not.
 */
final class EncoderChecks {
    private static final String FIX = ": write a file that has them inside (a Conversion with the same settings does)"
            + " and train on its features";

    private EncoderChecks() {}

    /** The model's features are the encoder's, by their names and by the encoder's hash in the provenance. */
    static void features(Model<?> model, OnnxEncoder encoder, String path) {
        Set<String> expected = Set.of(SimCLRFeatureExtractor.featureNames(encoder.dimension()));
        TreeSet<String> found = new TreeSet<>(model.getFeatureIDMap().keySet());
        Set<String> hashes = EncoderFacts.of(model.getProvenance(), EncodedModel.ENCODER_HASH);
        boolean same = hashes.contains(encoder.sha256());
        if (!hashes.isEmpty() && !same) {
            throw new IllegalArgumentException("The model was trained on features of the encoder with SHA-256 "
                    + String.join(", ", hashes) + ", found " + path + " with SHA-256 " + encoder.sha256());
        }
        // A model of this very encoder may have left out features; of another origin, that is a model of another encoder.
        if (!expected.containsAll(found) || found.isEmpty() || !same && found.size() < expected.size()) {
            throw new IllegalArgumentException("Expected a model of the " + expected.size() + " features "
                    + new TreeSet<>(expected).first() + " to " + new TreeSet<>(expected).last() + " of the encoder " + path
                    + ", found one of " + found.size()
                    + (found.isEmpty() ? "" : ", " + found.first() + " to " + found.last()));
        }
    }

    /** The model learnt from one encoder. Not asked of saved models: earlier versions took one that learnt from several. */
    static void oneEncoder(Model<?> model, OnnxEncoder encoder, String path) {
        Set<String> hashes = EncoderFacts.of(model.getProvenance(), EncodedModel.ENCODER_HASH);
        if (hashes.size() > 1) {
            throw new IllegalArgumentException("Expected a model of features of the encoder " + path + " with SHA-256 "
                    + encoder.sha256() + " alone, found one of several encoders, " + String.join(", ", hashes)
                    + ": train it on features of one");
        }
    }

    private static Set<String> statedSettings(Model<?> model) {
        return EncoderFacts.of(model.getProvenance(), SimCLRFeatureExtractor.ExtractorProvenance.SETTINGS);
    }

    private static String text(OnnxEncoder encoder) {
        return EncoderFacts.withoutSources(encoder.settings());
    }

    /** The file has the settings that the model's provenance states. */
    static void settings(Model<?> model, OnnxEncoder alone, String path) {
        for (String there : statedSettings(model)) {
            if (!EncoderFacts.withoutSources(there).equals(text(alone))) {
                throw new IllegalArgumentException("The model was trained on features that " + path + " gave with the settings "
                        + there + ", found " + text(alone) + " from the file alone" + FIX);
            }
        }
    }

    /**
     * What lies beside the file says nothing else than the file. A provenance without settings can't tell whether what an
     * extractor finds there was used.
     */
    static void beside(Model<?> model, OnnxEncoder alone, Path file) throws IOException {
        // An encoder of ours does not look beside itself.
        boolean ours = Preprocessing.RULE.equals(alone.metadata().get("resize"));
        if (!ours && statedSettings(model).isEmpty()) {
            try (OnnxEncoder beside = OnnxEncoder.open(file, 1)) {
                same(alone, beside, file.toString(), EncoderSettings.PREPROCESSOR_CONFIG + " beside it says");
            }
        }
        normalised(model, alone, file.toString());
    }

    /** The file or the model says how values are normalised. */
    static void normalised(Model<?> model, OnnxEncoder alone, String path) {
        List<String> assumed = Stream.of("mean", "std").filter(name -> {
            EncoderSettings.Value value = alone.settings().values().get(name);
            return value != null && value.source().equals("default");
        }).toList();
        if (!assumed.isEmpty() && statedSettings(model).isEmpty()) {
            throw new IllegalArgumentException(path + " does not say its " + String.join(" and ", assumed) + ", and the model"
                    + " does not say which its features were made with" + FIX + "; if it takes values from 0 to 1, give the"
                    + " extractor to EncodedModel.containing(extractor, model)");
        }
    }

    /** An encoder that was used is this one with the same settings. */
    static void same(OnnxEncoder alone, OnnxEncoder used, String path, String who) {
        if (!alone.sha256().equals(used.sha256())) {
            throw new IllegalArgumentException(path + " has changed since the extractor opened it: its SHA-256 was "
                    + used.sha256() + " and is " + alone.sha256());
        }
        boolean same = alone.preprocessing().equals(used.preprocessing())
                && Stream.of("input", "output", "layout", "pooling")
                        .allMatch(name -> alone.settings().get(name).equals(used.settings().get(name)));
        if (!same) {
            throw new IllegalArgumentException("Features of " + path + " may have been made with other settings than it has"
                    + " inside: " + who + " " + text(used) + ", found " + text(alone) + " from the file alone" + FIX);
        }
    }
}
