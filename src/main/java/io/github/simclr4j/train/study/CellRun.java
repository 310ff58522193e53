// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import io.github.simclr4j.train.Pretraining;
import io.github.simclr4j.train.PretrainingResult;
import io.github.simclr4j.train.loop.CheckpointFolder;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.tribuo.evaluation.LinearProtocol;
import io.github.simclr4j.tribuo.evaluation.ProtocolContext;
import io.github.simclr4j.util.Progress;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Trains and measures one cell.
 *
 * @param cell the cell
 * @param given settings of all cells
 * @param images images of the study
 * @param folder folder of the study
 * @param files the files that settings name
 * @param machine resources of the study
 * @param progress receives progress and warnings
 */
record CellRun(
        Cell cell,
        Map<String, String> given,
        StudyImages images,
        StudyFolder folder,
        SettingFiles files,
        StudyMachine machine,
        Progress progress) {
    private static final String ALL = "100%";
    private static final String CHECKPOINT = "checkpoint";

    /** Returns the settings of the cell and those of all cells. */
    Map<String, String> settings() {
        Map<String, String> all = new TreeMap<>(given);
        all.putAll(cell.settings());
        return all;
    }

    /** Returns the measurements of an earlier run, or null; fails if they belong to other settings. */
    CellResult.Measured done() throws IOException {
        return folder.done(cell, files.hashed(settings()));
    }

    /**
     * Checks the settings.
     *
     * @return the settings without effect in this cell, each with the condition under which it has one, which completes "has an effect
     *     only"; the condition is empty for a setting that the cell's method and encoder lack
     * @throws IllegalArgumentException if a value is out of range, values do not fit each other, or a setting of the cell is unknown
     * @throws IOException if the images lack labels that the method needs, or a file that a setting names cannot be read
     */
    Map<String, String> check() throws IOException {
        Pretraining.Builder builder = Pretraining.builder();
        Set<String> unknown = CellSettings.apply(settings(), builder);
        Set<String> own = new TreeSet<>(unknown);
        own.retainAll(cell.settings().keySet());
        if (!own.isEmpty()) {
            throw new IllegalArgumentException(
                    "Pretraining by " + settings().getOrDefault("method", "simclr") + " with the encoder "
                            + CellSettings.encoder(settings()) + " has no setting " + String.join(", ", own));
        }
        files.hashed(settings());
        Map<String, String> unused = new HashMap<>();
        unknown.forEach(name -> unused.put(name, ""));
        try (Pretraining pretraining =
                builder.images(images.images()).device(machine.device()).build()) {
            unused.putAll(CellSettings.unused(settings(), pretraining.settings()));
        }
        return unused;
    }

    /** Trains to the end, from the newest checkpoint if there is one, and measures. */
    CellResult.Measured run() throws IOException {
        long start = System.nanoTime();
        files.checkUnchanged(settings());
        Path state = folder.cell(cell);
        Path encoder = state.resolve(StudyFolder.ENCODER);
        Pretraining.Builder builder = Pretraining.builder();
        CellSettings.apply(settings(), builder);
        try (Pretraining pretraining = builder.images(images.images())
                .device(machine.device())
                .threads(machine.threads())
                .memory(machine.megabytes())
                .decoders(machine.decoders())
                .checkpoint(state.resolve(CHECKPOINT))
                .metrics(state.resolve("metrics.jsonl"))
                .progress(progress)
                .build()) {
            PretrainingResult result = pretraining.run();
            result.writeEncoder(encoder);
            PretrainSettings s = pretraining.settings();
            double accuracy;
            int dimension;
            try (ProtocolContext context = ProtocolContext.builder()
                    .encoder(encoder)
                    .runtime(machine.runtime())
                    .device(machine.device())
                    .train(images.train())
                    .test(images.test())
                    .seeds(s.seed())
                    .progress(progress)
                    .build()) {
                accuracy = new LinearProtocol().run(context).mean(ALL);
                dimension = context.extractor().encoder().dimension();
            }
            CellResult.Measured measured = new CellResult.Measured(
                    accuracy,
                    result.finalLoss(),
                    parameters(s),
                    dimension,
                    result.epochs(),
                    result.steps(),
                    Math.round((System.nanoTime() - start) / 1e7) / 100.0,
                    Sha256.hex(result.encoder()),
                    result.settings());
            folder.finish(cell, files.hashed(settings()), measured);
            new CheckpointFolder(state.resolve(CHECKPOINT)).delete();
            return measured;
        }
    }

    private static long parameters(PretrainSettings s) {
        return s.encoder().graph(s.imageSize()).weights().stream()
                .filter(w -> w.kind().isTrained())
                .mapToLong(w -> w.shape().stream().mapToLong(n -> n).reduce(1, (a, b) -> a * b))
                .sum();
    }
}
