// SPDX-License-Identifier: Apache-2.0
/**
 * Data augmentation: random views of images (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, section 3).
 *
 * <p>An {@link io.github.simclr4j.train.augment.AugmentationPipeline} is the composition of a view, and a
 * {@link io.github.simclr4j.train.augment.ViewGenerator} renders views image by image, on the CPU in plain Java.
 *
 * <p>To add an augmentation, implement {@link io.github.simclr4j.train.augment.AugmentationFactory} in a public class, and add its name
 * to {@code META-INF/services/io.github.simclr4j.train.augment.AugmentationFactory}.
 */
package io.github.simclr4j.train.augment;
