/**
 * Reads sets of images ahead of those who use them: all at once into memory, or as a stream of batches. The package may depend
 * on {@code io.github.simclr4j.images.source} and what that depends on.
 */
package io.github.simclr4j.images.load;
