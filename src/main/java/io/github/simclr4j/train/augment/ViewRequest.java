// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

/**
 * A view to render.
 *
 * @param generator renders the view
 * @param pixels pixels of the image, uint8 [side, side, 3], RGB
 * @param side side of the image in pixels
 * @param seed seed of the view
 * @since 0.1.0
 */
public record ViewRequest(ViewGenerator generator, byte[] pixels, int side, long seed) {}
