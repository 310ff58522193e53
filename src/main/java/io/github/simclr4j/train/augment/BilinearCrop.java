// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

/**
 * A {@link Crop} with bilinear resizing, as in MoCo (He et al. 2020) and most PyTorch programs.
 *
 * @since 0.1.0
 */
public final class BilinearCrop extends Crop {
    /** Creates a crop that resizes with the bilinear filter. */
    public BilinearCrop() {
        super("crop-bilinear", Interpolation.BILINEAR, "the same with a bilinear filter");
    }
}
