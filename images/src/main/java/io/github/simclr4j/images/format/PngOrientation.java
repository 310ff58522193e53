package io.github.simclr4j.images.format;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Looks for the orientation in a PNG file: in the eXIf chunk, then in Exif that ImageMagick writes as text, then in XMP (PNG
 * specification, section 11.3; XMP specification part 3, section 1.1.5).
 */
final class PngOrientation {
    /** Text that is longer when it is unpacked is not looked at further; what is wanted stands at its beginning. */
    private static final int MOST_TEXT = 1 << 18;
    private static final byte[] EXIF_HEADER = {'E', 'x', 'i', 'f', 0, 0};
    private static final int EXIF = 0x65584966;
    private static final int TEXT = 0x74455874;
    private static final int COMPRESSED_TEXT = 0x7a545874;
    private static final int INTERNATIONAL_TEXT = 0x69545874;

    private int exif = Exif.NONE;
    private int exifText = Exif.NONE;
    private boolean exifTextSeen;
    private int xmp = Exif.NONE;
    private boolean xmpSeen;

    private PngOrientation() {}

    /** Returns the orientation, 1 to 8; 1 if there is none or it is damaged. */
    static int of(byte[] file) {
        PngOrientation found = new PngOrientation();
        ByteBuffer in = ByteBuffer.wrap(file);
        for (int at = 8; at + 12 <= file.length;) {
            int length = in.getInt(at);
            if (length < 0 || length > file.length - at - 12) {
                break;
            }
            int kind = in.getInt(at + 4);
            if (kind == EXIF && found.exif == Exif.NONE) {
                found.exif = inExif(Arrays.copyOfRange(file, at + 8, at + 8 + length));
            } else if (kind == TEXT || kind == COMPRESSED_TEXT || kind == INTERNATIONAL_TEXT) {
                found.text(kind, file, at + 8, at + 8 + length);
            }
            at += 12 + length;
        }
        return Math.max(1, found.exif != Exif.NONE ? found.exif : found.exifText != Exif.NONE ? found.exifText : found.xmp);
    }

    private static int inExif(byte[] block) {
        int from = Arrays.equals(EXIF_HEADER, 0, 6, block, 0, Math.min(6, block.length)) ? 6 : 0;
        return Exif.find(block, from, block.length - from);
    }

    /** Looks at a text: its keyword, a zero, and what the kind of chunk puts before the text itself. */
    private void text(int kind, byte[] file, int from, int to) {
        int end = zero(file, from, to);
        String keyword = new String(file, from, Math.max(0, end - from), StandardCharsets.ISO_8859_1);
        boolean isXmp = keyword.equals("XML:com.adobe.xmp");
        boolean isExif = keyword.equals("Raw profile type exif") || keyword.equals("Raw profile type APP1");
        // One text of each kind is unpacked, however many there are.
        if (!(isXmp && !xmpSeen || isExif && !exifTextSeen)) {
            return;
        }
        xmpSeen |= isXmp;
        exifTextSeen |= isExif;
        int start = end + 1;
        boolean compressed = kind == COMPRESSED_TEXT;
        if (kind == INTERNATIONAL_TEXT) {
            // Whether it is compressed and how, then a language and the translated keyword.
            compressed = start < to && file[start] == 1;
            int language = zero(file, start + 2, to);
            start = language < 0 ? -1 : zero(file, language + 1, to) + 1;
        } else if (compressed) {
            start++;
        }
        if (start <= end || start > to) {
            return;
        }
        byte[] text = compressed ? inflated(file, start, to) : Arrays.copyOfRange(file, start, to);
        if (isXmp) {
            xmp = Xmp.orientation(text, 0, text.length);
        } else {
            exifText = inExif(fromHex(text));
        }
    }

    private static int zero(byte[] b, int from, int to) {
        for (int i = from; i < to; i++) {
            if (b[i] == 0) {
                return i;
            }
        }
        return -1;
    }

    /** Unpacks the beginning of a compressed text; what is damaged ends it. */
    private static byte[] inflated(byte[] b, int from, int to) {
        Inflater inflater = new Inflater();
        byte[] text = new byte[MOST_TEXT];
        int length = 0;
        try {
            inflater.setInput(b, from, to - from);
            for (int n = 1; n > 0 && length < text.length;) {
                n = inflater.inflate(text, length, text.length - length);
                length += n;
            }
        } catch (DataFormatException e) {
            // What was unpacked before may do.
        } finally {
            inflater.end();
        }
        return Arrays.copyOf(text, length);
    }

    /** Reads ImageMagick's form of bytes: a line break, the kind, the length, then hexadecimal digits in lines. */
    private static byte[] fromHex(byte[] text) {
        String[] lines = new String(text, StandardCharsets.ISO_8859_1).split("\n", 4);
        String digits = lines.length < 4 ? "" : lines[3].replaceAll("\\s", "");
        int length = 0;
        while (length < digits.length() && HexFormat.isHexDigit(digits.charAt(length))) {
            length++;
        }
        return HexFormat.of().parseHex(digits, 0, length & ~1);
    }
}
