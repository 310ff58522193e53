package io.github.simclr4j.train.augment;

/**
 * A view that is to be made.
 *
 * @param generator makes it
 * @param pixels of the image, uint8 [side, side, 3], RGB
 * @param side of the image in pixels
 * @param seed decides the view
 */
public record ViewRequest(ViewGenerator generator, byte[] pixels, int side, long seed) {}
