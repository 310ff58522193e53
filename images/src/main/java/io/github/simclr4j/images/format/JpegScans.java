package io.github.simclr4j.images.format;

import java.io.IOException;
import java.util.Arrays;

/**
 * Keeps count of what the scans of a JPEG file bring, so that a file that is cut between two scans is told from a whole one: the
 * decoder shows what there is and says nothing.
 */
final class JpegScans {
    /** As many as no encoder writes; each costs as much time as a whole picture. */
    private static final int MOST = 64;
    /** Twenty scans of the largest picture that is read. */
    private static final long MOST_PIXELS = 2_000_000_000;

    private static final int COEFFICIENTS = 64;
    private static final byte MISSING = -1;

    /** For each component and coefficient the lowest bit that is known so far (T.81, G.1.1.1), or {@link #MISSING}. */
    private final byte[][] lowestBit;
    private final boolean progressive;
    private final long pixels;
    private final long[] blocks;
    private int count;

    /**
     * Begins to count.
     *
     * @param sampling for each component how many of its blocks stand side by side and one upon another in a unit (T.81, A.2)
     * @param progressive whether a scan may bring a part of the coefficients
     * @param pixels width times height
     */
    JpegScans(int[][] sampling, boolean progressive, long pixels) {
        int across = Arrays.stream(sampling).mapToInt(s -> s[0]).max().orElse(1);
        int down = Arrays.stream(sampling).mapToInt(s -> s[1]).max().orElse(1);
        blocks = Arrays.stream(sampling)
                .mapToLong(s -> pixels * s[0] * s[1] / ((long) COEFFICIENTS * Math.max(1, across * down))).toArray();
        lowestBit = new byte[sampling.length][COEFFICIENTS];
        for (byte[] component : lowestBit) {
            Arrays.fill(component, MISSING);
        }
        this.progressive = progressive;
        this.pixels = pixels;
    }

    /**
     * Counts a scan.
     *
     * @param component which component it belongs to
     * @param first first coefficient in zigzag order (Ss)
     * @param last last coefficient (Se)
     * @param before the lowest bit that was known before, 0 in the first scan of a coefficient (Ah)
     * @param now the lowest bit that is known after it (Al)
     * @throws IOException if no encoder writes this scan after the ones before
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
            // A first scan has 0 where a refinement has the bit of the scan before, which is one higher than its own.
            boolean follows = known == MISSING ? before == 0 : before == known && now == before - 1;
            if (!follows) {
                throw new IOException("damaged image: the scans are not in order");
            }
            lowestBit[component][k] = (byte) now;
        }
    }

    /** Counts the scan's header. */
    void next() throws IOException {
        if (++count > MOST || count * pixels > MOST_PIXELS) {
            throw new IOException("a JPEG of more than " + (count - 1) + " scans is not read: save it in the usual way");
        }
    }

    /**
     * Returns the fewest bits that a scan's data can have, so that nobody waits for the picture that a short file claims to hold:
     * a block's mean value takes one or more, while thousands of blocks without other coefficients take one together.
     *
     * @param component one of its components
     * @param first its first coefficient
     */
    long fewestBits(int component, int first) {
        return first == 0 || !progressive ? blocks[component] : 0;
    }

    /**
     * Returns whether every coefficient of every component is there to its last bit. The standard allows less, but no encoder
     * makes use of that, while files that were cut and then given an end marker exist.
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
