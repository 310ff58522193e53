// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.util.Progress;
import java.nio.file.Path;

/**
 * What a method can use before the first step.
 *
 * @param images the training images
 * @param folder folder for files that outlive the run, beside its checkpoints; null for a run that saves nothing
 * @param continued whether networks and state were restored from a checkpoint
 * @param progress reports the progress of slow work
 * @since 0.1.0
 */
public record RunStart(TrainingImages images, Path folder, boolean continued, Progress progress) {}
