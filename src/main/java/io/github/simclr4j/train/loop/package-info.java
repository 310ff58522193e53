/** The training loop: batches, micro-batches, steps, epochs and checkpoints. It knows no method by name. */
package io.github.simclr4j.train.loop;
