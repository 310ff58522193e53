// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.network;

/**
 * The memory layout of feature maps.
 *
 * @since 0.1.0
 */
public enum MemoryLayout {
    /** NCHW, PyTorch's default. */
    CHANNELS_FIRST,
    /** NHWC, in which convolutions are faster on most CPUs and GPUs. */
    CHANNELS_LAST
}
