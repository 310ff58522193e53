// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Reads the orientation from Exif blocks, which have the structure of TIFF files. */
final class Exif {
    /** The result of {@link #find} if there is no orientation. */
    static final int NONE = 0;

    /** The tag of the orientation (CIPA DC-008, section 4.6.4). */
    private static final int ORIENTATION = 0x0112;
    /** The tag of an XMP packet (XMP specification part 3, section 1.1.8). */
    private static final int XMP = 700;
    /** Integer types of a TIFF directory (TIFF 6.0, section 2); the standard prescribes SHORT here. */
    private static final int SHORT = 3;

    private static final int LONG = 4;
    private static final int SIGNED_SHORT = 8;
    private static final int SIGNED_LONG = 9;
    /** Maximum number of bytes before the structure. */
    private static final int PADDING = 8;

    private Exif() {}

    /**
     * Returns the orientation in the first directory of a TIFF structure (TIFF 6.0, section 2), or else in the directory's XMP packet.
     *
     * @param b an array that contains the structure
     * @param from start of the structure
     * @param length length of the structure in bytes
     * @return 1 to 8; 1 if there is none, or if the structure is damaged, since the pixels may still be intact
     */
    static int orientation(byte[] b, int from, int length) {
        return Math.max(1, find(b, from, length));
    }

    /** Returns the orientation, or {@link #NONE} if there is none. */
    static int find(byte[] b, int from, int length) {
        int begin = from;
        while (begin < from + Math.min(length, PADDING) && b[begin] == 0) {
            begin++;
        }
        ByteBuffer t = ByteBuffer.wrap(b, begin, from + length - begin).slice();
        if (Signatures.at(b, begin, 'I', 'I')) {
            t.order(ByteOrder.LITTLE_ENDIAN);
        } else if (!Signatures.at(b, begin, 'M', 'M')) {
            return NONE;
        }
        int found = NONE;
        int packet = NONE;
        try {
            int directory = t.getInt(4);
            int entries = t.getShort(directory) & 0xffff;
            for (int i = 0; i < entries; i++) {
                int at = directory + 2 + 12 * i;
                int tag = t.getShort(at) & 0xffff;
                if (tag == ORIENTATION) {
                    found = inRange(value(t, at));
                } else if (tag == XMP) {
                    int start = begin + t.getInt(at + 8);
                    packet = Xmp.orientation(b, start, Math.addExact(start, t.getInt(at + 4)));
                }
            }
        } catch (IndexOutOfBoundsException | ArithmeticException e) {
            // Keep what was found before the damage.
        }
        return found != NONE ? found : packet;
    }

    /** Returns the first value of an entry, which is in the entry itself if all values fit into four bytes. */
    private static int value(ByteBuffer t, int entry) {
        int type = t.getShort(entry + 2);
        int count = t.getInt(entry + 4);
        boolean narrow = type == SHORT || type == SIGNED_SHORT;
        if (count < 1 || !narrow && type != LONG && type != SIGNED_LONG) {
            return NONE;
        }
        int at = count <= (narrow ? 2 : 1) ? entry + 8 : t.getInt(entry + 8);
        return narrow ? t.getShort(at) : t.getInt(at);
    }

    /** Returns an orientation from 1 to 8, or 1 for an invalid one. */
    static int inRange(int value) {
        return value >= 1 && value <= 8 ? value : 1;
    }
}
