package io.github.simclr4j.images;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Iterator;
import javax.imageio.ImageReader;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;

/** The image formats that are read: how each is known by its first bytes, who decodes it, and where it keeps Exif. */
enum ImageFormat {
    JPEG, PNG, WEBP, BMP, GIF, TIFF;

    /** Exif's tag for the orientation (CIPA DC-008, section 4.6.4). */
    private static final int ORIENTATION = 0x0112;

    private ImageReaderSpi decoder;

    /** The format that some bytes are in, by their beginning. */
    static ImageFormat of(byte[] b) throws IOException {
        if (starts(b, 0, 0xff, 0xd8, 0xff)) {
            return JPEG;
        } else if (starts(b, 0, 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n')) {
            return PNG;
        } else if (starts(b, 0, 'R', 'I', 'F', 'F') && starts(b, 8, 'W', 'E', 'B', 'P')) {
            return WEBP;
        } else if (starts(b, 0, 'B', 'M')) {
            return BMP;
        } else if (starts(b, 0, 'G', 'I', 'F', '8')) {
            return GIF;
        } else if (starts(b, 0, 'I', 'I', 42, 0) || starts(b, 0, 'M', 'M', 0, 42)) {
            return TIFF;
        }
        throw new IOException("not an image (expected JPEG, PNG, WebP, BMP, GIF or TIFF)");
    }

    private static boolean starts(byte[] b, int at, int... expected) {
        for (int i = 0; i < expected.length; i++) {
            if (b.length <= at + i || (b[at + i] & 255) != expected[i]) {
                return false;
            }
        }
        return true;
    }

    /** A new decoder: the JDK's, whatever else is on the class path, so that pixels are the same everywhere. */
    synchronized ImageReader reader() throws IOException {
        if (decoder == null) {
            String owner = this == WEBP ? "com.twelvemonkeys." : "com.sun.imageio.";
            Iterator<ImageReaderSpi> all =
                    IIORegistry.getDefaultInstance().getServiceProviders(ImageReaderSpi.class, true);
            while (all.hasNext()) {
                ImageReaderSpi spi = all.next();
                if (spi.getClass().getName().startsWith(owner)
                        && Arrays.stream(spi.getFormatNames()).anyMatch(n -> n.equalsIgnoreCase(name()))) {
                    decoder = spi;
                }
            }
            if (decoder == null) {
                throw new IOException("no decoder for " + this + " on the class path (expected one of " + owner + "*)");
            }
        }
        return decoder.createReaderInstance();
    }

    /** Where an image is shown from: 1 (as it is stored) to 8, by Exif; 1 if it does not say or says nonsense. */
    int orientation(byte[] b) {
        try {
            return switch (this) {
                case JPEG -> jpeg(b);
                case PNG -> png(b);
                case WEBP -> webp(b);
                case TIFF -> tiff(ByteBuffer.wrap(b));
                default -> 1;
            };
        } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
            // A cut or wrong Exif block: the pixels may still be whole.
            return 1;
        }
    }

    private static int jpeg(byte[] b) {
        int exif = segment(b, (marker, at) -> marker == 0xe1 && starts(b, at + 4, 'E', 'x', 'i', 'f', 0, 0));
        return exif < 0 ? 1 : tiff(ByteBuffer.wrap(b, exif + 10, length(b, exif) - 8).slice());
    }

    private interface Segment {
        boolean test(int marker, int at);
    }

    /** Where the first segment of a JPEG header that passes the test begins, or -1. */
    private static int segment(byte[] b, Segment wanted) {
        int at = 2;
        while (at + 4 <= b.length && b[at] == (byte) 0xff) {
            int marker = b[at + 1] & 255;
            if (marker == 0xff) {
                // Any number of fill bytes may stand before a marker.
                at++;
            } else if (wanted.test(marker, at)) {
                return at;
            } else if (marker == 0xda || marker == 0xd9) {
                return -1;
            } else {
                at += 2 + length(b, at);
            }
        }
        return -1;
    }

    private static int length(byte[] b, int at) {
        return (b[at + 2] & 255) << 8 | b[at + 3] & 255;
    }

    private static int png(byte[] b) {
        ByteBuffer in = ByteBuffer.wrap(b);
        for (int at = 8; at + 12 <= b.length;) {
            int length = in.getInt(at);
            if (starts(b, at + 4, 'e', 'X', 'I', 'f')) {
                return tiff(ByteBuffer.wrap(b, at + 8, length).slice());
            }
            if (length < 0 || length > b.length - at - 12) {
                return 1;
            }
            at += 12 + length;
        }
        return 1;
    }

    private static int webp(byte[] b) {
        ByteBuffer in = ByteBuffer.wrap(b).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 12; at + 8 <= b.length;) {
            int length = in.getInt(at + 4);
            if (starts(b, at, 'E', 'X', 'I', 'F')) {
                int skip = starts(b, at + 8, 'E', 'x', 'i', 'f', 0, 0) ? 6 : 0;
                return tiff(ByteBuffer.wrap(b, at + 8 + skip, length - skip).slice());
            }
            if (length < 0 || length > b.length - at - 8) {
                return 1;
            }
            at += 8 + length + (length & 1);
        }
        return 1;
    }

    /** The orientation in the first directory of a TIFF structure (TIFF 6.0, section 2). */
    private static int tiff(ByteBuffer t) {
        t.order(t.get(0) == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        int directory = t.getInt(4);
        int entries = t.getShort(directory) & 0xffff;
        for (int i = 0; i < entries; i++) {
            int at = directory + 2 + 12 * i;
            if ((t.getShort(at) & 0xffff) == ORIENTATION) {
                int value = t.getShort(at + 8) & 0xffff;
                return value >= 1 && value <= 8 ? value : 1;
            }
        }
        return 1;
    }

    /** Number of components of a JPEG file, from its frame header; 0 if it has none. */
    static int jpegComponents(byte[] b) {
        // SOF0 to SOF15, which share their range with DHT, JPG and DAC.
        int frame = segment(b, (marker, at) ->
                marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc);
        return frame < 0 || frame + 9 >= b.length ? 0 : b[frame + 9] & 255;
    }

    /** Whether a JPEG file's Adobe marker says that four components are YCCK. */
    static boolean isYcck(byte[] b) {
        int adobe = segment(b, (marker, at) -> marker == 0xee && starts(b, at + 4, 'A', 'd', 'o', 'b', 'e'));
        return adobe >= 0 && adobe + 15 < b.length && b[adobe + 15] == 2;
    }
}
