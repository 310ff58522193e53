/** Where and how a training computes: GPUs, libtorch, and the precision that a processor has. */
package io.github.simclr4j.train.device;
