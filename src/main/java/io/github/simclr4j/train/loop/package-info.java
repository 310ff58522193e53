// SPDX-License-Identifier: Apache-2.0
/** The training loop: batches, micro-batches, steps, epochs and checkpoints. It is independent of particular methods. */
package io.github.simclr4j.train.loop;
