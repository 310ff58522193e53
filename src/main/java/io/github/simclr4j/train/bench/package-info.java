// SPDX-License-Identifier: Apache-2.0
/** Benchmarks of training and inference, and training within a time limit. */
package io.github.simclr4j.train.bench;

