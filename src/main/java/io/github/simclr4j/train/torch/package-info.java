/**
 * The adapter to DJL's PyTorch engine: {@link io.github.simclr4j.train.torch.Torch} is the only class that calls DJL's native
 * interface, {@link io.github.simclr4j.train.torch.Script} runs TorchScript that Java wrote, and
 * {@link io.github.simclr4j.train.torch.Gradients} differentiates what scripts computed.
 */
package io.github.simclr4j.train.torch;
