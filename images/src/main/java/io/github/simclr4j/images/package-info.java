/**
 * Decoded images: how image files are read, and how an image becomes a network's input. The package depends on
 * {@code io.github.simclr4j.util} only.
 */
package io.github.simclr4j.images;
