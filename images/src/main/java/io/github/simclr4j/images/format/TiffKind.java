// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;

/**
 * The storage of the pixels of a TIFF file. Only images with well-defined RGB values are supported: grey, RGB, palette, CMYK and YCbCr
 * images of unsigned integers.
 *
 * @param photometric the meaning of the samples: {@link #WHITE_IS_ZERO} to {@link #YCBCR}
 * @param bits bits per sample, 1 to 16
 * @param samples number of stored samples per pixel
 * @param alpha index of the sample with the opacity, or -1
 * @param premultiplied whether the colours are multiplied by the opacity already
 * @param planar whether each sample has a separate plane
 * @param compression the compression's number, one of {@link TiffCompression}
 * @param predictor 1 for none, or 2 for differences between neighbours
 * @param reversed whether the bits of each byte are in reversed order (FillOrder 2)
 */
record TiffKind(
        int photometric,
        int bits,
        int samples,
        int alpha,
        boolean premultiplied,
        boolean planar,
        int compression,
        int predictor,
        boolean reversed) {
    static final int WHITE_IS_ZERO = 0;
    static final int BLACK_IS_ZERO = 1;
    static final int RGB = 2;
    static final int PALETTE = 3;
    static final int CMYK = 5;
    static final int YCBCR = 6;

    /**
     * Reads the kind from a directory.
     *
     * @throws IOException if the kind is not supported; the message names it
     */
    static TiffKind of(TiffDirectory d) throws IOException {
        int compression = TiffCompression.of(d);
        int samples = d.integerOr(TiffTag.SAMPLES, 1);
        int photometric = photometric(d, compression, samples);
        format(d);
        int bits = bits(d, samples);
        int colours = colours(photometric);
        if (samples < colours) {
            throw new IOException("damaged image: " + samples + " samples per pixel, but " + colours + " are needed");
        }
        int alpha = -1;
        boolean premultiplied = false;
        for (int i = 0; i < samples - colours && alpha < 0; i++) {
            int extra = extraSample(d, i, samples, colours, photometric);
            if (extra != 0) {
                alpha = colours + i;
                premultiplied = extra == 1;
            }
        }
        if (d.count(TiffTag.EXTRA_SAMPLES) > samples - colours) {
            throw new IOException("damaged image: " + samples
                    + " samples per pixel are fewer than the colours and extra samples named");
        } else if (premultiplied && photometric != BLACK_IS_ZERO && photometric != RGB) {
            throw refused("colours other than grey or RGB multiplied by their opacity");
        }
        boolean planar = samples > 1 && d.integerOr(TiffTag.PLANAR, 1) == 2;
        TiffKind kind = new TiffKind(
                photometric,
                bits,
                samples,
                alpha,
                premultiplied,
                planar,
                compression,
                TiffCompression.predictor(d, compression, bits),
                d.integerOr(TiffTag.FILL_ORDER, 1) == 2);
        TiffCompression.check(kind);
        return kind;
    }

    /** Returns the exception for a kind of image that is not supported. */
    static IOException refused(String kind) {
        return new IOException("a TIFF image with " + kind + ", which is not read: convert it to 8-bit grey or RGB");
    }

    /** Returns the number of samples of the colour. */
    int colours() {
        return colours(photometric);
    }

    private static int colours(int photometric) {
        return switch (photometric) {
            case RGB, YCBCR -> 3;
            case CMYK -> 4;
            default -> 1;
        };
    }

    private static int photometric(TiffDirectory d, int compression, int samples) throws IOException {
        if (d.count(TiffTag.PHOTOMETRIC) == 0) {
            if (TiffCompression.isFax(compression)) {
                return WHITE_IS_ZERO;
            }
            throw new IOException(
                    "damaged image: the TIFF directory does not define the meaning of its samples (tag 262 is missing)");
        }
        int photometric = d.integerOr(TiffTag.PHOTOMETRIC, 0);
        if (photometric == RGB && TiffCompression.isOldJpeg(d)) {
            // Old programs wrote the colours after decoding; libtiff also corrects this.
            return YCBCR;
        }
        if (photometric == YCBCR && samples == 1) {
            return BLACK_IS_ZERO;
        } else if (photometric == CMYK && d.integerOr(TiffTag.INK_SET, 1) != 1) {
            throw refused("inks other than CMYK");
        } else if (photometric != PALETTE && d.integerOr(TiffTag.INDEXED, 0) == 1) {
            throw refused("a palette of a kind other than RGB");
        }
        return switch (photometric) {
            case WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR -> photometric;
            case 4 -> throw refused("nothing but a transparency mask");
            case 8 -> throw refused("CIELab colours");
            case 9 -> throw refused("ICCLab colours");
            case 10 -> throw refused("ITULab colours");
            case 32803 -> throw refused("raw sensor data (a colour filter array)");
            case 32844 -> throw refused("LogL (high dynamic range) values");
            case 32845 -> throw refused("LogLuv (high dynamic range) colours");
            case 34892 -> throw refused("linear raw sensor data");
            case 51177 -> throw refused("depth values");
            default -> throw refused("photometric interpretation " + photometric);
        };
    }

    /** Checks that samples are unsigned. Type 4, undefined, is treated as missing (TIFF 6.0, section 19). */
    private static void format(TiffDirectory d) throws IOException {
        for (int i = 0; i < d.count(TiffTag.SAMPLE_FORMAT); i++) {
            int format = (int) d.integer(TiffTag.SAMPLE_FORMAT, i);
            if (format == 1 || format == 4) {
                continue;
            }
            int bits = d.integerOr(TiffTag.BITS, 1);
            throw switch (format) {
                case 2 -> refused("signed " + bits + "-bit samples");
                case 3 -> refused(bits + "-bit floating point samples");
                case 5, 6 -> refused("complex numbers as samples");
                default -> refused("samples of format " + format);
            };
        }
    }

    private static int bits(TiffDirectory d, int samples) throws IOException {
        int bits = d.integerOr(TiffTag.BITS, 1);
        for (int i = 1; i < Math.min(samples, d.count(TiffTag.BITS)); i++) {
            if (d.integer(TiffTag.BITS, i) != bits) {
                throw refused("samples of " + bits + " and " + d.integer(TiffTag.BITS, i) + " bits in one pixel");
            }
        }
        if (bits < 1 || bits > 16) {
            throw refused(bits + "-bit samples");
        }
        return bits;
    }

    /** Returns 0 for a sample to be ignored, 1 for the opacity of premultiplied colours, and 2 for any other opacity. */
    private static int extraSample(TiffDirectory d, int index, int samples, int colours, int photometric)
            throws IOException {
        if (index < d.count(TiffTag.EXTRA_SAMPLES)) {
            int value = (int) d.integer(TiffTag.EXTRA_SAMPLES, index);
            // Corel Draw 10 wrote 999 for an opacity.
            if (value > 2 && value != 999) {
                throw refused("an extra sample of kind " + value);
            }
            return Math.min(value, 2);
        } else if (photometric == RGB && samples == 4) {
            // Old programs left the tag out; Pillow, ImageMagick and the JDK interpret the sample as an opacity.
            return 2;
        }
        throw refused(samples + " samples per pixel, of which only " + (colours + d.count(TiffTag.EXTRA_SAMPLES))
                + " are described");
    }
}
