/** What is watched in a training: figures of the embeddings, nearest neighbours, and what goes wrong. */
package io.github.simclr4j.train.monitor;
