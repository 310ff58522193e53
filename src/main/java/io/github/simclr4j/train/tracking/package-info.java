// SPDX-License-Identifier: Apache-2.0
/**
 * Listeners that send a run's metrics to experiment trackers: event files for TensorBoard, and an MLflow tracking server. Add them to a
 * pretraining as {@linkplain io.github.simclr4j.train.Pretraining.Builder#listener listeners}.
 */
package io.github.simclr4j.train.tracking;
