// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.util.Set;

/** The numbers of the TIFF fields that determine the pixels (TIFF 6.0; Adobe's technical notes; TIFF/EP). */
final class TiffTag {
    /** A number that is not a tag. */
    static final int NONE = -1;

    static final int WIDTH = 256;
    static final int HEIGHT = 257;
    static final int BITS = 258;
    static final int COMPRESSION = 259;
    static final int PHOTOMETRIC = 262;
    static final int FILL_ORDER = 266;
    static final int STRIP_OFFSETS = 273;
    static final int SAMPLES = 277;
    static final int ROWS_PER_STRIP = 278;
    static final int STRIP_BYTE_COUNTS = 279;
    static final int PLANAR = 284;
    static final int T4_OPTIONS = 292;
    static final int PREDICTOR = 317;
    static final int COLOR_MAP = 320;
    static final int TILE_WIDTH = 322;
    static final int TILE_HEIGHT = 323;
    static final int TILE_OFFSETS = 324;
    static final int TILE_BYTE_COUNTS = 325;
    static final int INK_SET = 332;
    static final int EXTRA_SAMPLES = 338;
    static final int SAMPLE_FORMAT = 339;
    static final int INDEXED = 346;
    static final int JPEG_TABLES = 347;
    static final int JPEG_STREAM = 513;
    static final int YCBCR_COEFFICIENTS = 529;
    static final int YCBCR_SUBSAMPLING = 530;
    static final int REFERENCE_BLACK_WHITE = 532;

    /** All tags that are used. */
    static final Set<Integer> USED = Set.of(
            WIDTH,
            HEIGHT,
            BITS,
            COMPRESSION,
            PHOTOMETRIC,
            FILL_ORDER,
            STRIP_OFFSETS,
            SAMPLES,
            ROWS_PER_STRIP,
            STRIP_BYTE_COUNTS,
            PLANAR,
            T4_OPTIONS,
            PREDICTOR,
            COLOR_MAP,
            TILE_WIDTH,
            TILE_HEIGHT,
            TILE_OFFSETS,
            TILE_BYTE_COUNTS,
            INK_SET,
            EXTRA_SAMPLES,
            SAMPLE_FORMAT,
            INDEXED,
            JPEG_TABLES,
            JPEG_STREAM,
            YCBCR_COEFFICIENTS,
            YCBCR_SUBSAMPLING,
            REFERENCE_BLACK_WHITE);

    private TiffTag() {}
}
