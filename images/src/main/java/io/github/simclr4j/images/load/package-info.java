// SPDX-License-Identifier: Apache-2.0
/**
 * Loads sets of images into memory, or streams them in batches that are decoded ahead. The package may depend on
 * {@code io.github.simclr4j.images.source} and its dependencies.
 */
package io.github.simclr4j.images.load;
