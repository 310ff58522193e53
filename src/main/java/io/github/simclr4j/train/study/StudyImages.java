package io.github.simclr4j.train.study;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.tribuo.evaluation.LabelledImages;

/**
 * The images of a study. They stay the caller's to close.
 *
 * @param images what every cell learns from; with labels where a cell's method needs them
 * @param train what a linear classifier is trained on
 * @param test what it is tested on
 */
public record StudyImages(ImageSource images, LabelledImages train, LabelledImages test) {}
