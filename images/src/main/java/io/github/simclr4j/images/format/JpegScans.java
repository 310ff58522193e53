// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;
import java.util.Arrays;

/**
 * Tracks which data the scans of a JPEG file contain, to detect files that were truncated between two scans, which the decoder accepts
 * without a warning.
 */
final class JpegScans {
    /** Maximum number of scans. No encoder writes more, and each takes as much time as a whole image. */
    private static final int MOST = 64;
    /** Maximum number of pixels over all scans: twenty scans of the largest supported image. */
    private static final long MOST_PIXELS = 2_000_000_000;

    private static final int COEFFICIENTS = 64;
    private static final byte MISSING = -1;

    /** The lowest known bit of each component and coefficient (T.81, G.1.1.1), or {@link #MISSING}. */
    private final byte[][] lowestBit;

    private final boolean progressive;
    private final long pixels;
    private final long[] blocks;
    private int count;

    /**
     * Starts to track scans.
     *
     * @param sampling horizontal and vertical number of blocks of each component in a unit (T.81, A.2)
     * @param progressive whether a scan may contain a part of the coefficients
     * @param pixels width times height
     */
    JpegScans(int[][] sampling, boolean progressive, long pixels) {
        int across = Arrays.stream(sampling).mapToInt(s -> s[0]).max().orElse(1);
        int down = Arrays.stream(sampling).mapToInt(s -> s[1]).max().orElse(1);
        blocks = Arrays.stream(sampling)
                .mapToLong(s -> pixels * s[0] * s[1] / ((long) COEFFICIENTS * Math.max(1, across * down)))
                .toArray();
        lowestBit = new byte[sampling.length][COEFFICIENTS];
        for (byte[] component : lowestBit) {
            Arrays.fill(component, MISSING);
        }
        this.progressive = progressive;
        this.pixels = pixels;
    }

    /**
     * Adds a scan of a component.
     *
     * @param component index of the component
     * @param first first coefficient in zigzag order (Ss)
     * @param last last coefficient (Se)
     * @param before the lowest bit known before the scan, 0 in the first scan of a coefficient (Ah)
     * @param now the lowest bit known after the scan (Al)
     * @throws IOException if this scan is not possible after the previous ones
     */
    void add(int component, int first, int last, int before, int now) throws IOException {
        if (!progressive) {
            Arrays.fill(lowestBit[component], (byte) 0);
            return;
        }
        if (first < 0 || last < first || last >= COEFFICIENTS) {
            throw new IOException("damaged image: a scan of coefficients " + first + " to " + last);
        }
        for (int k = first; k <= last; k++) {
            int known = lowestBit[component][k];
            // "before" is 0 in a first scan. In a refinement it is the bit of the previous scan, one higher than its
            // own.
            boolean follows = known == MISSING ? before == 0 : before == known && now == before - 1;
            if (!follows) {
                throw new IOException("damaged image: the scans are not in order");
            }
            lowestBit[component][k] = (byte) now;
        }
    }

    /** Counts a scan header. */
    void next() throws IOException {
        if (++count > MOST || count * pixels > MOST_PIXELS) {
            throw new IOException(
                    "a JPEG of more than " + (count - 1) + " scans is not supported: save it as baseline JPEG");
        }
    }

    /**
     * Returns the minimum number of bits of a scan's data, to reject short files that claim to contain a large image. A block's mean value
     * takes at least one bit, but thousands of blocks without other coefficients can share one.
     *
     * @param component a component of the scan
     * @param first the first coefficient of the scan
     */
    long fewestBits(int component, int first) {
        return first == 0 || !progressive ? blocks[component] : 0;
    }

    /**
     * Returns whether all bits of all coefficients of all components are present. The standard allows less, but no encoder uses that, and
     * there are truncated files to which an end marker was added.
     */
    boolean complete() {
        for (byte[] component : lowestBit) {
            for (byte bit : component) {
                if (bit != 0) {
                    return false;
                }
            }
        }
        return true;
    }
}
