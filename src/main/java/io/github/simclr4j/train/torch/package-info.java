// SPDX-License-Identifier: Apache-2.0
/**
 * The adapter to DJL's PyTorch engine. Only {@link io.github.simclr4j.train.torch.Torch} calls DJL's native interface,
 * {@link io.github.simclr4j.train.torch.Script} runs TorchScript that Java has written, and
 * {@link io.github.simclr4j.train.torch.Gradients} differentiates the results of scripts.
 */
package io.github.simclr4j.train.torch;
