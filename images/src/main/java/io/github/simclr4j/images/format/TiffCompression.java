// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;

/** Determines the compression of TIFF files, and checks that it is supported for their samples. */
final class TiffCompression {
    static final int NONE = 1;
    static final int FAX_RUNS = 2;
    static final int FAX_3 = 3;
    static final int FAX_4 = 4;
    static final int LZW = 5;
    static final int JPEG = 7;
    static final int DEFLATE = 8;
    static final int PACK_BITS = 32773;
    private static final int OLD_DEFLATE = 32946;
    private static final int OLD_JPEG = 6;

    private TiffCompression() {}

    /**
     * Returns the compression. If two numbers stand for the same compression, it is the newer number.
     *
     * @throws IOException if the compression is not supported; the message names it
     */
    static int of(TiffDirectory d) throws IOException {
        int compression = d.integerOr(TiffTag.COMPRESSION, NONE);
        return switch (compression) {
            case NONE, FAX_RUNS, FAX_3, FAX_4, LZW, JPEG, DEFLATE, PACK_BITS -> compression;
            case OLD_DEFLATE -> DEFLATE;
            case OLD_JPEG -> {
                if (d.count(TiffTag.JPEG_STREAM) == 0 || d.integerOr(TiffTag.PLANAR, 1) == 2) {
                    throw TiffKind.refused("old-style JPEG compression without a whole JPEG stream");
                }
                yield JPEG;
            }
            case 9, 10, 34661 -> throw refused("JBIG");
            case 32766 -> throw refused("NeXT");
            case 32771 -> throw refused("word-aligned CCITT");
            case 32809 -> throw refused("ThunderScan");
            case 33003, 33004, 33005, 34712 -> throw refused("JPEG 2000");
            case 34676, 34677 -> throw refused("SGI LogLuv");
            case 34887 -> throw refused("LERC");
            case 34892 -> throw refused("lossy DNG");
            case 34925 -> throw refused("LZMA");
            case 34933 -> throw refused("PNG");
            case 34934, 22610, 48124 -> throw refused("JPEG XR");
            case 50000 -> throw refused("Zstandard");
            case 50001 -> throw refused("WebP");
            case 50002, 52546 -> throw refused("JPEG XL");
            default -> throw refused("unknown (number " + compression + ")");
        };
    }

    /**
     * Returns whether the file has the JPEG compression of TIFF 6.0, section 22, which Adobe's TIFF Technical Note 2 replaced: one
     * JPEG stream for the whole image, into which the strips point.
     */
    static boolean isOldJpeg(TiffDirectory d) throws IOException {
        return d.integerOr(TiffTag.COMPRESSION, NONE) == OLD_JPEG;
    }

    private static IOException refused(String name) {
        return TiffKind.refused(name + " compression");
    }

    /** Returns whether a compression is for bilevel images (ITU-T T.4 and T.6). */
    static boolean isFax(int compression) {
        return compression >= FAX_RUNS && compression <= FAX_4;
    }

    /**
     * Returns the predictor: 1 for none, or 2 for differences between neighbours. Only LZW and Deflate have one.
     *
     * @throws IOException if the predictor is not supported
     */
    static int predictor(TiffDirectory d, int compression, int bits) throws IOException {
        int predictor = d.integerOr(TiffTag.PREDICTOR, 1);
        if (compression != LZW && compression != DEFLATE || predictor == 1) {
            return 1;
        } else if (predictor != 2) {
            throw TiffKind.refused(
                    predictor == 3 ? "a predictor for floating point samples" : "predictor " + predictor);
        } else if (bits != 8 && bits != 16) {
            throw TiffKind.refused("a predictor for " + bits + "-bit samples");
        }
        return 2;
    }

    /** Checks that the compression supports the samples. */
    static void check(TiffKind kind) throws IOException {
        if (isFax(kind.compression()) && (kind.bits() != 1 || kind.samples() != 1)) {
            throw TiffKind.refused(kind.samples() + " samples of " + kind.bits() + " bits in CCITT compression");
        } else if (kind.compression() == JPEG && kind.bits() != 8) {
            throw TiffKind.refused(kind.bits() + "-bit samples in JPEG compression");
        } else if (kind.photometric() == TiffKind.YCBCR && kind.bits() != 8) {
            throw TiffKind.refused("YCbCr colours of " + kind.bits() + " bits");
        }
    }
}
