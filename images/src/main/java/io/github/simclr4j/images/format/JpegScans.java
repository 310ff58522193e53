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
    private int count;

    JpegScans(int components, boolean progressive, long pixels) {
        lowestBit = new byte[components][COEFFICIENTS];
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
