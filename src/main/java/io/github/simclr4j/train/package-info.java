/**
 * Pretraining from Java: {@link io.github.simclr4j.train.Pretraining} learns an encoder from images by any method. The packages
 * below hold its parts.
 */
package io.github.simclr4j.train;
