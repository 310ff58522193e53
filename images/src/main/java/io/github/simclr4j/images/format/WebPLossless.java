// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Decodes lossless WebP data, VP8L (RFC 9649, section 3). */
final class WebPLossless {
    private static final int LITERALS = 256;
    private static final int LENGTHS = 24;
    private static final int[] ALPHABETS = {LITERALS + LENGTHS, LITERALS, LITERALS, LITERALS, 40};
    /** Maximum number of entries of prefix codes for any image; libwebp's encoder stays below it. */
    private static final long FREE_ENTRIES = 1 << 23;
    /** The nearest positions in the order of their codes: distances to the left and up (section 3.5.2). */
    private static final byte[] NEAR = {
        0, 1, 1, 0, 1, 1, -1, 1, 0, 2, 2, 0, 1, 2, -1, 2, 2, 1, -2, 1, 2, 2, -2, 2, 0, 3, 3, 0, 1, 3, -1, 3, 3, 1, -3,
        1, 2, 3, -2, 3, 3, 2, -3, 2, 0, 4, 4, 0, 1, 4, -1, 4, 4, 1, -4, 1, 3, 3, -3, 3, 2, 4, -2, 4, 4, 2, -4, 2, 0, 5,
        3, 4, -3, 4, 4, 3, -4, 3, 5, 0, 1, 5, -1, 5, 5, 1, -5, 1, 2, 5, -2, 5, 5, 2, -5, 2, 4, 4, -4, 4, 3, 5, -3, 5, 5,
        3, -5, 3, 0, 6, 6, 0, 1, 6, -1, 6, 6, 1, -6, 1, 2, 6, -2, 6, 6, 2, -6, 2, 4, 5, -4, 5, 5, 4, -5, 4, 3, 6, -3, 6,
        6, 3, -6, 3, 0, 7, 7, 0, 1, 7, -1, 7, 5, 5, -5, 5, 7, 1, -7, 1, 4, 6, -4, 6, 6, 4, -6, 4, 2, 7, -2, 7, 7, 2, -7,
        2, 3, 7, -3, 7, 7, 3, -7, 3, 5, 6, -5, 6, 6, 5, -6, 5, 8, 0, 4, 7, -4, 7, 7, 4, -7, 4, 8, 1, 8, 2, 6, 6, -6, 6,
        8, 3, 5, 7, -5, 7, 7, 5, -7, 5, 8, 4, 6, 7, -6, 7, 7, 6, -7, 6, 8, 5, 7, 7, -7, 7, 8, 6, 8, 7
    };

    private final WebPLosslessBits in;

    private WebPLossless(WebPLosslessBits in) {
        this.in = in;
    }

    /**
     * Decodes an image whose size was accepted.
     *
     * @param in the data after the size
     * @return the pixels, [height, width], as alpha, red, green and blue, starting with the highest byte
     */
    static int[] decode(WebPLosslessBits in, int width, int height) throws IOException {
        return new WebPLossless(in).image(width, height);
    }

    private int[] image(int width, int height) throws IOException {
        List<WebPTransform> transforms = new ArrayList<>();
        int seen = 0;
        int stored = width;
        while (in.read(1) == 1) {
            int type = in.read(2);
            if ((seen >> type & 1) == 1) {
                throw new IOException("damaged WebP image: a transform occurs twice");
            }
            seen |= 1 << type;
            WebPTransform transform = transform(type, stored, height);
            stored = transform.storedWidth();
            transforms.add(transform);
        }
        int[] pixels = stream(stored, height, true);
        for (int i = transforms.size() - 1; i >= 0; i--) {
            pixels = transforms.get(i).undo(pixels);
        }
        return pixels;
    }

    private WebPTransform transform(int type, int width, int height) throws IOException {
        switch (type) {
            case WebPTransform.PREDICTOR, WebPTransform.COLOUR -> {
                int bits = 2 + in.read(3);
                return new WebPTransform(
                        type, width, height, bits, stream(tiles(width, bits), tiles(height, bits), false));
            }
            case WebPTransform.PALETTE -> {
                int colours = 1 + in.read(8);
                int bits = colours > 16 ? 0 : colours > 4 ? 1 : colours > 2 ? 2 : 3;
                return new WebPTransform(type, width, height, bits, stream(colours, 1, false));
            }
            default -> {
                return new WebPTransform(type, width, height, 0, null);
            }
        }
    }

    private static int tiles(int size, int bits) {
        return size + (1 << bits) - 1 >> bits;
    }

    /** Reads an image without transforms. Only the main image has several groups of codes. */
    private int[] stream(int width, int height, boolean main) throws IOException {
        int cacheBits = 0;
        if (in.read(1) == 1) {
            cacheBits = in.read(4);
            if (cacheBits < 1 || cacheBits > 11) {
                throw new IOException("damaged WebP image: a colour cache of " + cacheBits + " bits, expected 1 to 11");
            }
        }
        int tileBits = 0;
        int[] tileGroups = null;
        int groups = 1;
        if (main && in.read(1) == 1) {
            tileBits = 2 + in.read(3);
            tileGroups = stream(tiles(width, tileBits), tiles(height, tileBits), false);
            for (int i = 0; i < tileGroups.length; i++) {
                tileGroups[i] = tileGroups[i] >>> 8 & 0xffff;
                groups = Math.max(groups, tileGroups[i] + 1);
            }
        }
        WebPPrefixCode[][] codes = codes(groups, tileGroups, cacheBits, (long) width * height);
        in.checkEnd();
        int[] pixels = new int[Math.multiplyExact(width, height)];
        pixels(pixels, width, codes, tileGroups, tileBits, cacheBits);
        in.checkEnd();
        return pixels;
    }

    /** Reads the groups of five codes: green with lengths and cache, red, blue, alpha, distances. */
    private WebPPrefixCode[][] codes(int groups, int[] tileGroups, int cacheBits, long pixels) throws IOException {
        boolean[] used = new boolean[groups];
        if (tileGroups == null) {
            used[0] = true;
        } else {
            for (int group : tileGroups) {
                used[group] = true;
            }
        }
        WebPPrefixCode[][] codes = new WebPPrefixCode[groups][];
        long entries = 0;
        for (int g = 0; g < groups; g++) {
            WebPPrefixCode[] group = new WebPPrefixCode[ALPHABETS.length];
            for (int i = 0; i < group.length; i++) {
                int symbols = ALPHABETS[i] + (i == 0 && cacheBits > 0 ? 1 << cacheBits : 0);
                group[i] = WebPPrefixCode.of(WebPPrefixCode.readLengths(in, symbols), symbols);
                entries += used[g] ? group[i].size() : 0;
            }
            codes[g] = used[g] ? group : null;
            if (entries > FREE_ENTRIES + 4 * pixels) {
                throw new IOException("damaged WebP image: far more prefix codes than its pixels need");
            }
        }
        return codes;
    }

    private void pixels(
            int[] pixels, int width, WebPPrefixCode[][] codes, int[] tileGroups, int tileBits, int cacheBits)
            throws IOException {
        int[] cache = cacheBits > 0 ? new int[1 << cacheBits] : null;
        int cacheShift = 32 - cacheBits;
        int tileMask = tileGroups == null ? -1 : (1 << tileBits) - 1;
        int tilesInRow = tileGroups == null ? 1 : tiles(width, tileBits);
        WebPPrefixCode[] group = codes[tileGroups == null ? 0 : tileGroups[0]];
        int x = 0;
        int y = 0;
        for (int at = 0; at < pixels.length; ) {
            if ((x & tileMask) == 0 && tileGroups != null) {
                group = codes[tileGroups[(y >> tileBits) * tilesInRow + (x >> tileBits)]];
            }
            in.fill(3 * WebPPrefixCode.MAX_LENGTH);
            int symbol = group[0].read(in);
            int length = 1;
            if (symbol < LITERALS) {
                int red = group[1].read(in);
                int blue = group[2].read(in);
                in.fill(WebPPrefixCode.MAX_LENGTH);
                pixels[at] = group[3].read(in) << 24 | red << 16 | symbol << 8 | blue;
            } else if (symbol < LITERALS + LENGTHS) {
                length = 1 + prefixed(symbol - LITERALS);
                in.fill(WebPPrefixCode.MAX_LENGTH);
                int code = prefixed(group[4].read(in));
                int distance = distance(code, width);
                if (distance > at || length > pixels.length - at) {
                    throw new IOException("damaged WebP image: a copy from outside of the image");
                }
                copy(pixels, at, distance, length);
            } else {
                pixels[at] = cache[symbol - LITERALS - LENGTHS];
            }
            if (cache != null) {
                for (int i = at; i < at + length; i++) {
                    cache[0x1e35a7bd * pixels[i] >>> cacheShift] = pixels[i];
                }
            }
            at += length;
            x += length;
            if (x >= width) {
                y += x / width;
                x %= width;
            }
            if (length > 1 && tileGroups != null && at < pixels.length) {
                group = codes[tileGroups[(y >> tileBits) * tilesInRow + (x >> tileBits)]];
            }
        }
    }

    /** Reads the rest of a length or distance code (section 3.5.1), and returns the number, counted from 0. */
    private int prefixed(int symbol) throws IOException {
        if (symbol < 4) {
            return symbol;
        }
        int extra = symbol - 2 >> 1;
        return (2 + (symbol & 1) << extra) + in.read(extra);
    }

    private static int distance(int code, int width) {
        if (code >= NEAR.length / 2) {
            return code - NEAR.length / 2 + 1;
        }
        return Math.max(1, NEAR[2 * code + 1] * width + NEAR[2 * code]);
    }

    private static void copy(int[] pixels, int at, int distance, int length) {
        if (distance >= length) {
            System.arraycopy(pixels, at - distance, pixels, at, length);
            return;
        }
        for (int i = at; i < at + length; i++) {
            pixels[i] = pixels[i - distance];
        }
    }
}
