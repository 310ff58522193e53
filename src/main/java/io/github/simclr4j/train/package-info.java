/**
 * The trainer: views, encoder and projection head, loss, optimiser, schedule, checkpoints, and the loop over them
 * ({@link io.github.simclr4j.train.Pretrainer}). The only package that uses DJL; what DJL's public API does not offer is in
 * {@link io.github.simclr4j.train.Torch}.
 *
 * <p>Memory: a tensor belongs to the manager of the first operand that made it. Weights belong to the network's manager;
 * a step opens a sub-manager for the batch and closes it at its end, so an operation in a step starts from the batch, never
 * from a weight, or attaches its result. While a gradient is recorded, a number that a product, quotient or maximum takes is
 * made by {@link io.github.simclr4j.train.Losses}, never a Java number: DJL's own copy of it may be gone before the backward pass.
 */
package io.github.simclr4j.train;
