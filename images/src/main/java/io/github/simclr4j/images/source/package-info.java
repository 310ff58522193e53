/**
 * Sets of images that are read by index, whatever they are stored in: folders, archives, tables of paths and binary files. A
 * further format is an {@link io.github.simclr4j.images.source.ImageSetFormat}. The package may depend on
 * {@code io.github.simclr4j.images}.
 */
package io.github.simclr4j.images.source;
