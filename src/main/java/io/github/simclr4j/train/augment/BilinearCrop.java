package io.github.simclr4j.train.augment;

/** {@link Crop} with bilinear resizing, as MoCo (He et al. 2020) and most PyTorch programs do it. */
public final class BilinearCrop extends Crop {
    /** Resizes with the bilinear filter. */
    public BilinearCrop() {
        super("crop-bilinear", Interpolation.BILINEAR, "the same with a bilinear filter");
    }
}
