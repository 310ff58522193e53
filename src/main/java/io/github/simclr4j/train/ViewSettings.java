package io.github.simclr4j.train;

/**
 * How a random view of an image is made (Chen et al. 2020, appendix A).
 *
 * @param minArea smallest share of the image's area that a crop keeps, above 0 and at most 1; the largest is 1, the
 *     aspect ratio is from 3/4 to 4/3
 * @param flip probability of a horizontal flip
 * @param colour strength s of the colour jitter, 0 to 1: brightness, contrast and saturation are multiplied by
 *     {@code 1 +- 0.8s}, the hue is turned by {@code +-0.2s}, in random order
 * @param jitter probability of the colour jitter
 * @param grey probability of grey-scale
 * @param blur probability of a Gaussian blur (kernel a tenth of the side, sigma 0.1 to 2); 0 for images of 32 pixels
 */
public record ViewSettings(double minArea, double flip, double colour, double jitter, double grey, double blur) {
    /** Checks the ranges. */
    public ViewSettings {
        if (!(minArea > 0 && minArea <= 1)) {
            throw new IllegalArgumentException("Smallest crop area must be above 0 and at most 1, found " + minArea);
        }
        if (!(colour >= 0 && colour <= 1)) {
            throw new IllegalArgumentException("Colour strength must be from 0 to 1, found " + colour);
        }
        for (double p : new double[] {flip, jitter, grey, blur}) {
            if (!(p >= 0 && p <= 1)) {
                throw new IllegalArgumentException("A probability must be from 0 to 1, found " + p);
            }
        }
    }

    /** What the paper uses on CIFAR-10: crops of area 0.08 to 1, colour strength 0.5, no blur. */
    public static ViewSettings cifar() {
        return new ViewSettings(0.08, 0.5, 0.5, 0.8, 0.2, 0);
    }
}
