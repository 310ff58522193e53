// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.tribuo.evaluation.LabelledImages;

/**
 * The images of a study, which the caller closes.
 *
 * @param images training images of all cells; labelled if a cell's method needs labels
 * @param train training images of the linear classifiers
 * @param test test images of the linear classifiers
 * @since 0.1.0
 */
public record StudyImages(ImageSource images, LabelledImages train, LabelledImages test) {}
