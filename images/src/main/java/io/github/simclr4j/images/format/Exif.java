package io.github.simclr4j.images.format;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Reads the orientation from Exif blocks, which are laid out as TIFF files are. */
final class Exif {
    /** The tag of the orientation (CIPA DC-008, section 4.6.4). */
    private static final int ORIENTATION = 0x0112;

    private Exif() {}

    /**
     * Returns the orientation in the first directory of a TIFF structure (TIFF 6.0, section 2): 1 to 8, or 1 if there is none or
     * the structure is damaged, since the pixels may still be whole.
     *
     * @param b an array that holds the structure
     * @param from where it begins
     * @param length its length in bytes
     */
    static int orientation(byte[] b, int from, int length) {
        try {
            ByteBuffer t = ByteBuffer.wrap(b, from, length).slice();
            t.order(t.get(0) == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
            int directory = t.getInt(4);
            int entries = t.getShort(directory) & 0xffff;
            for (int i = 0; i < entries; i++) {
                int at = directory + 2 + 12 * i;
                if ((t.getShort(at) & 0xffff) == ORIENTATION) {
                    // Some writers use a LONG (type 4) where the standard has a SHORT.
                    int value = t.getShort(at + 2) == 4 ? t.getInt(at + 8) : t.getShort(at + 8) & 0xffff;
                    return value >= 1 && value <= 8 ? value : 1;
                }
            }
            return 1;
        } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
            return 1;
        }
    }
}
