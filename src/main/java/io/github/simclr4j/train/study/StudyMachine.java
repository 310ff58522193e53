package io.github.simclr4j.train.study;

import io.github.simclr4j.onnx.runtime.RuntimeSettings;

/**
 * Where a study runs. Nothing of it decides what is measured, but for rounding.
 *
 * @param device of the training: {@code auto}, {@code cpu}, {@code gpu} or {@code gpu:N}
 * @param threads of the training on the CPU, 0 for libtorch's own choice
 * @param megabytes that decoded images may take, 0 for what the heap has room for
 * @param decoders threads that decode ahead, 0 for one a core
 * @param runtime of the evaluation
 */
public record StudyMachine(String device, int threads, int megabytes, int decoders, RuntimeSettings runtime) {
    /** The first GPU, or the CPU where there is none. */
    public static final StudyMachine DEFAULT = new StudyMachine("auto", 0, 0, 0, RuntimeSettings.DEFAULT);
}
