// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import io.github.simclr4j.onnx.runtime.RuntimeSettings;

/**
 * The resources of a study. Except for rounding, they do not affect the results.
 *
 * @param device device of the training: {@code auto}, {@code cpu}, {@code gpu} or {@code gpu:N}
 * @param threads CPU threads of the training, 0 for libtorch's default
 * @param megabytes memory for decoded images in units of 2^20 bytes, 0 for the free heap
 * @param decoders number of threads that decode ahead, 0 for one per core
 * @param runtime settings of ONNX Runtime for the evaluation
 * @since 0.1.0
 */
public record StudyMachine(String device, int threads, int megabytes, int decoders, RuntimeSettings runtime) {
    /** The first GPU, or the CPU if there is none, with default threads and memory. */
    public static final StudyMachine DEFAULT = new StudyMachine("auto", 0, 0, 0, RuntimeSettings.DEFAULT);
}
