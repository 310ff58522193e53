// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

/**
 * Iterates over the marker segments of a JPEG file (ITU-T T.81, annex B). Like libjpeg it skips everything between two segments:
 * fill bytes, stray restart markers and superfluous bytes.
 */
final class JpegSegments {
    static final int SOI = 0xd8;
    static final int EOI = 0xd9;
    static final int SOS = 0xda;

    private static final int TEM = 0x01;

    private final byte[] file;
    private int next = 2;
    private int marker;
    private int start;
    private int end;

    JpegSegments(byte[] file) {
        this.file = file;
    }

    /** Moves to the next segment; returns false if the file ends before or in that segment. */
    boolean next() {
        for (int at = next; at < file.length; at++) {
            if (file[at] != (byte) 0xff) {
                continue;
            }
            while (at < file.length && file[at] == (byte) 0xff) {
                at++;
            }
            if (at == file.length) {
                return false;
            }
            marker = file[at] & 255;
            if (marker != 0 && marker != TEM && !isRestart(marker)) {
                return segment(at + 1);
            }
        }
        return false;
    }

    private boolean segment(int at) {
        if (marker == EOI || marker == SOI) {
            start = at;
            end = at;
        } else if (at + 2 > file.length) {
            return false;
        } else {
            start = at + 2;
            // A length below 2 is invalid, since it includes itself: search for the next marker right after it.
            end = Math.max(start, at + (file[at] & 255) * 256 + (file[at + 1] & 255));
        }
        next = end;
        return end <= file.length;
    }

    /** Skips the entropy-coded data after a scan header and returns their end. */
    int skipData() {
        int at = end;
        while (at < file.length) {
            if (file[at] != (byte) 0xff) {
                at++;
                continue;
            }
            int code = at + 1;
            while (code < file.length && file[code] == (byte) 0xff) {
                code++;
            }
            if (code == file.length || file[code] != 0 && !isRestart(file[code] & 255)) {
                break;
            }
            at = code + 1;
        }
        next = at;
        return at;
    }

    private static boolean isRestart(int marker) {
        return marker >= 0xd0 && marker <= 0xd7;
    }

    /** Returns the second byte of this segment's marker. */
    int marker() {
        return marker;
    }

    /** Returns the start of this segment's content, after its length. */
    int start() {
        return start;
    }

    /** Returns the end of this segment. */
    int end() {
        return end;
    }

    /** Returns the length of this segment's content in bytes. */
    int length() {
        return end - start;
    }

    /** Returns a byte of this segment's content, or -1 after its end. */
    int get(int i) {
        return start + i < end ? file[start + i] & 255 : -1;
    }

    /** Returns whether this segment's content begins with these bytes. */
    boolean startsWith(int... bytes) {
        return bytes.length <= length() && Signatures.at(file, start, bytes);
    }
}
