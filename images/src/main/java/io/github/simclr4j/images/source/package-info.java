// SPDX-License-Identifier: Apache-2.0
/**
 * Reads sets of images by index from folders, archives, tables of paths and binary files. To add a format, implement
 * {@link io.github.simclr4j.images.source.ImageSetFormat}. The package may depend on {@code io.github.simclr4j.images}.
 */
package io.github.simclr4j.images.source;
