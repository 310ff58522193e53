package io.github.simclr4j.images.format;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.format.JpegFile.Ending;
import java.io.IOException;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Decodes JPEG files whose data may not end where they should. Only the decoder knows how many bytes it needs, so that a doubtful
 * file is decoded again without some of them: bytes that belong to nothing are then not missed, whereas a picture that was made of
 * zeros in place of its data is not whole any more.
 */
final class JpegEnd {
    private static final Pattern LEFT_OVER = Pattern.compile("([0-9]+) extraneous bytes before marker");
    /** Encoders that clear the bits that are left in the last byte write fewer zero bytes at the end. */
    private static final int WIPED = 3;
    /** More bytes than these, unless they are zeros, are the rest of data that the decoder lost its way in. */
    private static final int MOST_JUNK = 8;
    /** As many pixels, those of each scan of each attempt, are decoded to find the scan with bytes too many. */
    private static final long MOST_PIXELS = 200_000_000;

    private JpegEnd() {}

    /**
     * Decodes a file.
     *
     * @throws IOException if a part of the picture is missing or damaged
     */
    static RgbImage decode(JpegFile jpeg) throws IOException {
        boolean padded = isPadded(jpeg);
        JpegPixels pixels = decode(jpeg, padded ? Ending.WITHOUT_ZEROS : Ending.AS_STORED);
        if (leftOver(pixels.warning()) > 0) {
            // A large picture has no room beside it for a second.
            pixels = null;
            pixels = decode(jpeg, Ending.WITHOUT_ZEROS);
            int junk = leftOver(pixels.warning());
            if (junk > 0 && junk <= MOST_JUNK) {
                pixels = withoutJunk(jpeg, pixels.warning());
            }
        } else if (pixels.warning() == null && !padded && isWiped(jpeg, pixels.image())) {
            throw new IOException("damaged image: the end of the picture's data is all zeros");
        }
        if (pixels.warning() != null) {
            throw new IOException("damaged image: " + pixels.warning());
        }
        return pixels.image();
    }

    private static JpegPixels decode(JpegFile jpeg, Ending ending) throws IOException {
        return JpegPixels.decode(jpeg, jpeg.essentials(ending));
    }

    /** The number of bytes that the decoder did not need somewhere, 0 if it complains of something else or of nothing. */
    private static int leftOver(String warning) {
        Matcher found = LEFT_OVER.matcher(warning == null ? "" : warning);
        return found.find() ? (int) Math.min(Integer.MAX_VALUE, Long.parseLong(found.group(1))) : 0;
    }

    /**
     * Tells whether zeros follow the data. Where the end of a file was wiped out the decoder makes a picture of zeros as well, which
     * it can't do without them.
     */
    private static boolean isPadded(JpegFile jpeg) throws IOException {
        if (jpeg.zeros() == 0) {
            return false;
        }
        String warning = decode(jpeg, Ending.WITHOUT_LAST_BYTE).warning();
        return warning == null || leftOver(warning) > 0;
    }

    /**
     * Tells whether the zeros at the end of the data, all of which the decoder needed, can't come from an encoder: the bits that the
     * last byte has left are set (T.81, F.1.2.3), so that the very last bit of a flat picture's zeros means something.
     */
    private static boolean isWiped(JpegFile jpeg, RgbImage image) throws IOException {
        if (jpeg.zeros() < WIPED) {
            return false;
        }
        JpegPixels other = decode(jpeg, Ending.WITH_LAST_BIT_SET);
        return other.warning() == null && Arrays.equals(other.image().rgb(), image.rgb());
    }

    /** Finds the scans that the few bytes too many stand behind: the data of the others can't do without as many. */
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
