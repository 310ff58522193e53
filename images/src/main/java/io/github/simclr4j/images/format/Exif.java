package io.github.simclr4j.images.format;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Reads the orientation from Exif blocks, which are laid out as TIFF files are. */
final class Exif {
    /** What {@link #find} returns where nothing is said. */
    static final int NONE = 0;

    /** The tag of the orientation (CIPA DC-008, section 4.6.4). */
    private static final int ORIENTATION = 0x0112;
    /** The tag of an XMP packet (XMP specification part 3, section 1.1.8). */
    private static final int XMP = 700;
    /** The numbers of a TIFF directory's integer types (TIFF 6.0, section 2); the standard has a SHORT here. */
    private static final int SHORT = 3;
    private static final int LONG = 4;
    private static final int SIGNED_SHORT = 8;
    private static final int SIGNED_LONG = 9;
    /** As many bytes may stand before the structure. */
    private static final int PADDING = 8;

    private Exif() {}

    /**
     * Returns the orientation in the first directory of a TIFF structure (TIFF 6.0, section 2): 1 to 8, or 1 if there is none or
     * the structure is damaged, since the pixels may still be whole. Where the directory has none but an XMP packet, that counts.
     *
     * @param b an array that holds the structure
     * @param from where it begins
     * @param length its length in bytes
     */
    static int orientation(byte[] b, int from, int length) {
        return Math.max(1, find(b, from, length));
    }

    /** The same, with {@link #NONE} if there is none. */
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
            // What was found before the damage stands.
        }
        return found != NONE ? found : packet;
    }

    private static int value(ByteBuffer t, int entry) {
        if (t.getInt(entry + 4) != 1) {
            return NONE;
        }
        return switch (t.getShort(entry + 2)) {
            case SHORT, SIGNED_SHORT -> t.getShort(entry + 8);
            case LONG, SIGNED_LONG -> t.getInt(entry + 8);
            default -> NONE;
        };
    }

    /** Returns an orientation from 1 to 8, and 1 for what is not one: an orientation is given, though not a valid one. */
    static int inRange(int value) {
        return value >= 1 && value <= 8 ? value : 1;
    }
}
