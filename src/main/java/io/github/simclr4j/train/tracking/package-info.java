/**
 * Listeners that pass a run's figures on to other programs: event files for TensorBoard, and an MLflow tracking server. A pretraining
 * gets them as its {@linkplain io.github.simclr4j.train.Pretraining.Builder#listener listeners}.
 */
package io.github.simclr4j.train.tracking;
