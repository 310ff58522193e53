// SPDX-License-Identifier: Apache-2.0
/** Optimizers, their settings, learning rate schedules, and exponential moving averages of weights. */
package io.github.simclr4j.train.optim;
