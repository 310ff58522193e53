/** How weights move: optimizers, their settings, schedules of the learning rate, and moving averages. */
package io.github.simclr4j.train.optim;
