// SPDX-License-Identifier: Apache-2.0
/**
 * Pretraining of image encoders. Start with {@link io.github.simclr4j.train.Pretraining}, which trains an encoder by any method.
 *
 * <p>The packages below depend on each other in one direction: torch, data, augment, network, loss, method, optim, device, monitor,
 * settings, loop, this package, tribuo. The only exception is the deprecated names of two trainers here, which depend on tribuo.
 */
package io.github.simclr4j.train;
