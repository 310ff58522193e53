// SPDX-License-Identifier: Apache-2.0
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
 * Checks, as far as possible, that a model was trained on the features that an encoder computes when it is opened from its file
 * without further settings. Each check throws IllegalArgumentException if not.
 */
final class EncoderChecks {
    private static final String FIX =
            ": write an encoder file that contains the settings (with a Conversion that has the same settings)"
                    + " and train on its features";

    private EncoderChecks() {}

    /** Checks the names of the model's features, and the encoder's hash in its provenance. */
    static void features(Model<?> model, OnnxEncoder encoder, String path) {
        Set<String> expected = Set.of(SimCLRFeatureExtractor.featureNames(encoder.dimension()));
        TreeSet<String> found = new TreeSet<>(model.getFeatureIDMap().keySet());
        Set<String> hashes = EncoderFacts.of(model.getProvenance(), EncodedModel.ENCODER_HASH);
        boolean same = hashes.contains(encoder.sha256());
        if (!hashes.isEmpty() && !same) {
            throw new IllegalArgumentException("The model was trained on features of the encoder with SHA-256 "
                    + String.join(", ", hashes) + ", found " + path + " with SHA-256 " + encoder.sha256());
        }
        // A model known to be trained on this encoder may have dropped features. Otherwise missing features mean
        // another encoder.
        if (!expected.containsAll(found) || found.isEmpty() || !same && found.size() < expected.size()) {
            throw new IllegalArgumentException("Expected a model of the " + expected.size() + " features "
                    + new TreeSet<>(expected).first() + " to " + new TreeSet<>(expected).last() + " of the encoder "
                    + path
                    + ", found one of " + found.size()
                    + (found.isEmpty() ? "" : ", " + found.first() + " to " + found.last()));
        }
    }

    /** Checks that the model was trained on one encoder. Not used for saved models, since earlier versions allowed several. */
    static void oneEncoder(Model<?> model, OnnxEncoder encoder, String path) {
        Set<String> hashes = EncoderFacts.of(model.getProvenance(), EncodedModel.ENCODER_HASH);
        if (hashes.size() > 1) {
            throw new IllegalArgumentException(
                    "Expected a model of features of only the encoder " + path + " with SHA-256 "
                            + encoder.sha256() + ", found one of several encoders, " + String.join(", ", hashes)
                            + ": train it on features of one encoder");
        }
    }

    private static Set<String> statedSettings(Model<?> model) {
        return EncoderFacts.of(model.getProvenance(), SimCLRFeatureExtractor.ExtractorProvenance.SETTINGS);
    }

    private static String text(OnnxEncoder encoder) {
        return EncoderFacts.withoutSources(encoder.settings());
    }

    /** Checks that the file's settings are those in the model's provenance. */
    static void settings(Model<?> model, OnnxEncoder alone, String path) {
        for (String there : statedSettings(model)) {
            if (!EncoderFacts.withoutSources(there).equals(text(alone))) {
                throw new IllegalArgumentException("The model was trained on features of " + path
                        + " with the settings " + there + ", found " + text(alone) + " in the file itself" + FIX);
            }
        }
    }

    /**
     * Checks that a configuration beside the file agrees with the file. A provenance without settings does not tell whether the
     * extractor used that configuration.
     */
    static void beside(Model<?> model, OnnxEncoder alone, Path file) throws IOException {
        // For an encoder trained by simclr4j, no configuration beside it is read.
        boolean ours = Preprocessing.RULE.equals(alone.metadata().get("resize"));
        if (!ours && statedSettings(model).isEmpty()) {
            try (OnnxEncoder beside = OnnxEncoder.open(file, 1)) {
                same(alone, beside, file.toString(), "the " + EncoderSettings.PREPROCESSOR_CONFIG + " beside it has");
            }
        }
        normalised(model, alone, file.toString());
    }

    /** Checks that the file or the model's provenance states the normalisation. */
    static void normalised(Model<?> model, OnnxEncoder alone, String path) {
        List<String> assumed = Stream.of("mean", "std")
                .filter(name -> {
                    EncoderSettings.Value value = alone.settings().values().get(name);
                    return value != null && value.source().equals("default");
                })
                .toList();
        if (!assumed.isEmpty() && statedSettings(model).isEmpty()) {
            throw new IllegalArgumentException(
                    path + " does not state its " + String.join(" and ", assumed) + ", and the model's"
                            + " provenance does not state which were used" + FIX
                            + "; if the encoder takes values from 0 to 1, pass the"
                            + " extractor to EncodedModel.containing(extractor, model)");
        }
    }

    /** Checks that the encoder that was used is this one with the same settings. */
    static void same(OnnxEncoder alone, OnnxEncoder used, String path, String who) {
        if (!alone.sha256().equals(used.sha256())) {
            throw new IllegalArgumentException(path + " has changed since the extractor opened it: its SHA-256 was "
                    + used.sha256() + " and is " + alone.sha256());
        }
        boolean same = alone.preprocessing().equals(used.preprocessing())
                && Stream.of("input", "output", "layout", "pooling")
                        .allMatch(name -> alone.settings()
                                .get(name)
                                .equals(used.settings().get(name)));
        if (!same) {
            throw new IllegalArgumentException(
                    "Features of " + path + " may have been made with other settings than the file's: " + who + " "
                            + text(used) + ", found " + text(alone) + " in the file itself" + FIX);
        }
    }
}
