// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.format.JpegFile.Ending;
import java.io.IOException;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Decodes JPEG files whose data may not end where they should. Only the decoder knows how many bytes it needs, so a doubtful file
 * is decoded again without some of them. Superfluous bytes are then not missed, but an image whose data were replaced by zeros
 * becomes incomplete.
 */
final class JpegEnd {
    private static final Pattern LEFT_OVER = Pattern.compile("([0-9]+) extraneous bytes before marker");
    /** Number of zero bytes from which the end may have been wiped; encoders that clear the last byte's unused bits write fewer. */
    private static final int WIPED = 3;
    /** Maximum number of superfluous bytes other than zeros; more are the rest of data that the decoder failed to follow. */
    private static final int MOST_JUNK = 8;
    /** Maximum number of pixels, over all scans and attempts, to decode in search of the scan with superfluous bytes. */
    private static final long MOST_PIXELS = 200_000_000;

    private JpegEnd() {}

    /**
     * Decodes a file.
     *
     * @throws IOException if a part of the image is missing or damaged
     */
    static RgbImage decode(JpegFile jpeg) throws IOException {
        boolean padded = isPadded(jpeg);
        JpegPixels pixels = decode(jpeg, padded ? Ending.WITHOUT_ZEROS : Ending.AS_STORED);
        if (leftOver(pixels.warning()) > 0) {
            // There may be no memory for a second copy of a large image.
            pixels = null;
            pixels = decode(jpeg, Ending.WITHOUT_ZEROS);
            int junk = leftOver(pixels.warning());
            if (junk > 0 && junk <= MOST_JUNK) {
                pixels = withoutJunk(jpeg, pixels.warning());
            }
        } else if (pixels.warning() == null && !padded && isWiped(jpeg, pixels.image())) {
            throw new IOException("damaged image: the end of the image's data is all zeros");
        }
        if (pixels.warning() != null) {
            throw new IOException("damaged image: " + pixels.warning());
        }
        return pixels.image();
    }

    private static JpegPixels decode(JpegFile jpeg, Ending ending) throws IOException {
        return JpegPixels.decode(jpeg, jpeg.essentials(ending));
    }

    /** Returns the number of superfluous bytes in a warning of the decoder, or 0 for other warnings or none. */
    private static int leftOver(String warning) {
        Matcher found = LEFT_OVER.matcher(warning == null ? "" : warning);
        return found.find() ? (int) Math.min(Integer.MAX_VALUE, Long.parseLong(found.group(1))) : 0;
    }

    /**
     * Returns whether the zeros at the end are padding after the data. If the end of a file was wiped, the decoder also makes an image from
     * the zeros, but it can't do so without them.
     */
    private static boolean isPadded(JpegFile jpeg) throws IOException {
        if (jpeg.zeros() == 0) {
            return false;
        }
        String warning = decode(jpeg, Ending.WITHOUT_LAST_BYTE).warning();
        return warning == null || leftOver(warning) > 0;
    }

    /**
     * Returns whether zeros at the end of the data, all of which the decoder needed, can't come from an encoder. Encoders set the
     * unused bits of the last byte (T.81, F.1.2.3), so in a flat image the last bit of the zeros must be significant.
     */
    private static boolean isWiped(JpegFile jpeg, RgbImage image) throws IOException {
        if (jpeg.zeros() < WIPED) {
            return false;
        }
        JpegPixels other = decode(jpeg, Ending.WITH_LAST_BIT_SET);
        return other.warning() == null && Arrays.equals(other.image().rgb(), image.rgb());
    }

    /** Finds the scans with superfluous bytes at the end: other scans can't be decoded without that many bytes. */
    private static JpegPixels withoutJunk(JpegFile jpeg, String first) throws IOException {
        int scans = jpeg.scans();
        if (scans > 1 && (long) scans * scans * jpeg.width() * jpeg.height() > MOST_PIXELS) {
            return new JpegPixels(null, first);
        }
        int[] cut = new int[scans];
        String warning = first;
        for (int i = 0; i < scans; i++) {
            int junk = leftOver(warning);
            cut[i] = junk <= MOST_JUNK ? junk : 0;
            JpegPixels pixels = JpegPixels.decode(jpeg, jpeg.essentials(cut));
            if (pixels.warning() == null) {
                return pixels;
            }
            if (leftOver(pixels.warning()) > 0) {
                warning = pixels.warning();
            } else {
                cut[i] = 0;
            }
        }
        return new JpegPixels(null, warning);
    }
}
