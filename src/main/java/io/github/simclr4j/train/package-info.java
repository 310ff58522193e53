/**
 * Pretraining of image encoders: {@link io.github.simclr4j.train.Pretraining} is where to start; it learns an encoder from images by
 * any method.
 *
 * <p>The packages below depend on each other one way: torch, data, augment, network, loss, method, optim, device, monitor, settings,
 * loop, this package, tribuo. Only the old names of two trainers here know the trainers in tribuo.
 */
package io.github.simclr4j.train;
