// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Finds the orientation in the metadata of a JPEG file: first Exif, then XMP (XMP specification part 3, section 1.1.3). */
final class JpegOrientation {
    private static final int APP1 = 0xe1;
    /** Length of the header: {@code Exif}, a zero, and a byte that should be zero. */
    private static final int EXIF_HEADER = 6;

    private static final byte[] XMP_HEADER = "http://ns.adobe.com/xap/1.0/\0".getBytes(StandardCharsets.US_ASCII);

    private JpegOrientation() {}

    /** Returns the orientation, 1 to 8; 1 if the file does not state it. */
    static int of(byte[] file) {
        List<int[]> exif = new ArrayList<>();
        int xmp = 0;
        JpegSegments s = new JpegSegments(file);
        while (s.next() && s.marker() != JpegSegments.SOS && s.marker() != JpegSegments.EOI) {
            if (s.marker() != APP1) {
                continue;
            }
            if (s.length() > EXIF_HEADER && s.startsWith('E', 'x', 'i', 'f', 0)) {
                exif.add(new int[] {s.start() + EXIF_HEADER, s.end()});
            } else if (s.length() > XMP_HEADER.length && Xmp.startsWith(file, s.start(), XMP_HEADER)) {
                xmp = Xmp.orientation(file, s.start() + XMP_HEADER.length, s.end());
            }
        }
        int found = fromExif(file, exif);
        return found != Exif.NONE ? found : Math.max(1, xmp);
    }

    /** Reads Exif, which may continue in the next segment if it is too long; some files have two independent Exif segments. */
    private static int fromExif(byte[] file, List<int[]> segments) {
        if (segments.isEmpty()) {
            return Exif.NONE;
        }
        if (segments.size() > 1) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            segments.forEach(s -> all.write(file, s[0], s[1] - s[0]));
            int found = Exif.find(all.toByteArray(), 0, all.size());
            if (found != Exif.NONE) {
                return found;
            }
        }
        return segments.stream()
                .mapToInt(s -> Exif.find(file, s[0], s[1] - s[0]))
                .filter(o -> o != Exif.NONE)
                .findFirst()
                .orElse(Exif.NONE);
    }
}
