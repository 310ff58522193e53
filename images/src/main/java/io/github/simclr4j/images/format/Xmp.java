// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the orientation from XMP packets ({@code tiff:Orientation}, XMP specification part 2, section 3.3). */
final class Xmp {
    /** The property as an attribute or as an element. */
    private static final Pattern ORIENTATION = Pattern.compile("tiff:Orientation(?:\\s*=\\s*[\"']|\\s*>)\\s*([0-9])");

    private Xmp() {}

    /**
     * Returns the orientation in a packet: 1 to 8, {@link Exif#NONE} if there is none, or 1 if it is out of range.
     *
     * @param b an array that contains the packet, in an encoding that includes ASCII
     * @param from start of the packet
     * @param to end of the packet, exclusive
     */
    static int orientation(byte[] b, int from, int to) {
        return orientation(new String(b, from, to - from, StandardCharsets.ISO_8859_1));
    }

    /** Returns the orientation in the text of a packet: 1 to 8, {@link Exif#NONE} if there is none, or 1 if it is out of range. */
    static int orientation(String packet) {
        Matcher found = ORIENTATION.matcher(packet);
        return found.find() ? Exif.inRange(found.group(1).charAt(0) - '0') : Exif.NONE;
    }

    static boolean startsWith(byte[] b, int at, byte[] expected) {
        return Arrays.equals(b, at, Math.min(b.length, at + expected.length), expected, 0, expected.length);
    }
}
