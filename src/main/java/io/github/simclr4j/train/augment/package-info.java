/**
 * Random views of images (Chen et al. 2020, section 3): what a self-supervised method learns to see as the same thing. An
 * {@link io.github.simclr4j.train.augment.AugmentationPipeline} says how a view is made, and a
 * {@link io.github.simclr4j.train.augment.ViewGenerator} makes views of it, image by image, on the CPU and in plain Java.
 *
 * <p>An augmentation of your own is a public class that implements
 * {@link io.github.simclr4j.train.augment.AugmentationFactory} and a line with its name in
 * {@code META-INF/services/io.github.simclr4j.train.augment.AugmentationFactory}.
 */
package io.github.simclr4j.train.augment;
