// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Finds the orientation in the metadata of a PNG file: in the {@code eXIf} chunk, in ImageMagick's text chunk with Exif, or in an
 * XMP packet (XMP specification part 3, section 1.1.5).
 */
final class PngOrientation {
    private static final String RAW_EXIF = "Raw profile type exif";
    private static final String XMP = "XML:com.adobe.xmp";
    /** Maximum length of text to search. */
    private static final int MOST_TEXT = 1 << 20;

    private int exif = Exif.NONE;
    private int raw = Exif.NONE;
    private int xmp = Exif.NONE;

    private PngOrientation() {}

    /** Returns the orientation, 1 to 8; 1 if the file does not state it. */
    static int of(byte[] file) {
        PngOrientation found = new PngOrientation();
        ByteBuffer in = ByteBuffer.wrap(file);
        int at = 8;
        while (at + 12 <= file.length) {
            int length = in.getInt(at);
            if (length < 0 || length > file.length - at - 12) {
                break;
            }
            found.chunk(file, at + 4, length);
            at += 12 + length;
        }
        return found.exif != Exif.NONE ? found.exif : found.raw != Exif.NONE ? found.raw : Math.max(1, found.xmp);
    }

    private void chunk(byte[] b, int at, int length) {
        int from = at + 4;
        int to = from + length;
        if (Signatures.at(b, at, 'e', 'X', 'I', 'f')) {
            exif = exif(b, from, to);
        } else if (Signatures.at(b, at, 't', 'E', 'X', 't')
                || Signatures.at(b, at, 'z', 'T', 'X', 't')
                || Signatures.at(b, at, 'i', 'T', 'X', 't')) {
            int end = zero(b, from, to);
            String keyword = new String(b, from, end - from, StandardCharsets.ISO_8859_1);
            if (keyword.equals(RAW_EXIF)) {
                byte[] block = fromHex(text(b, at, end + 1, to));
                raw = exif(block, 0, block.length);
            } else if (keyword.equals(XMP)) {
                xmp = Xmp.orientation(text(b, at, end + 1, to));
            }
        }
    }

    private static int exif(byte[] b, int from, int to) {
        int skip = Signatures.at(b, from, 'E', 'x', 'i', 'f', 0, 0) ? 6 : 0;
        return Exif.find(b, from + skip, to - from - skip);
    }

    /** Returns the text of a chunk (PNG specification, section 11.3.3) after its keyword. */
    private static String text(byte[] b, int chunk, int from, int to) {
        boolean compressed = b[chunk] == 'z';
        int start = compressed ? from + 1 : from;
        if (b[chunk] == 'i') {
            // Compression flag and method, language, translated keyword.
            compressed = from < to && b[from] == 1;
            start = zero(b, zero(b, from + 2, to) + 1, to) + 1;
        }
        if (start >= to) {
            return "";
        }
        return compressed
                ? inflated(b, start, to - start)
                : new String(b, start, to - start, StandardCharsets.ISO_8859_1);
    }

    private static String inflated(byte[] b, int from, int length) {
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(b, from, length);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            byte[] block = new byte[8192];
            for (int n = inflater.inflate(block); n > 0 && out.size() < MOST_TEXT; n = inflater.inflate(block)) {
                out.write(block, 0, n);
            }
            return out.toString(StandardCharsets.ISO_8859_1);
        } catch (DataFormatException e) {
            // The pixels may still be intact.
            return "";
        } finally {
            inflater.end();
        }
    }

    /** Parses ImageMagick's format: an empty line, the profile's name, its length, then lines of hexadecimal digits. */
    private static byte[] fromHex(String text) {
        int at = -1;
        for (int line = 0; line < 3; line++) {
            at = text.indexOf('\n', at + 1);
            if (at < 0) {
                return new byte[0];
            }
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int high = -1;
        for (; at < text.length(); at++) {
            int digit = Character.digit(text.charAt(at), 16);
            if (digit >= 0 && high >= 0) {
                out.write(high * 16 + digit);
                high = -1;
            } else if (digit >= 0) {
                high = digit;
            }
        }
        return out.toByteArray();
    }

    private static int zero(byte[] b, int from, int to) {
        int at = from;
        while (at < to && b[at] != 0) {
            at++;
        }
        return at;
    }
}
