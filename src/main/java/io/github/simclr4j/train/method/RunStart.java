package io.github.simclr4j.train.method;

import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.util.Progress;
import java.nio.file.Path;

/**
 * What a method gets ready from before the first step.
 *
 * @param images that the run learns from
 * @param folder for what should outlive the run, beside its checkpoints; null for a run that keeps nothing
 * @param continued whether the networks and the method's state are those of a checkpoint
 * @param progress told how far it is
 */
public record RunStart(TrainingImages images, Path folder, boolean continued, Progress progress) {}
