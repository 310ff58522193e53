// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.awt.image.Raster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicReference;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/**
 * Decodes JPEG data in a TIFF file (Adobe's TIFF Technical Note 2) to components as stored. The directory defines their meaning, and not
 * JFIF or Adobe markers.
 */
final class TiffJpeg {
    /** The start of an image, and Adobe's marker with transform 0, which means that components are not converted. */
    private static final byte[] START = {
        (byte) 0xff, (byte) 0xd8, (byte) 0xff, (byte) 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0
    };
    /** Maximum size of the tables, which are read for each block. Four quantization and eight Huffman tables have below 3,000 bytes. */
    private static final int MAX_TABLES = 16_384;
    /** Maximum number of scans, since each may take as long as the whole image. Progressive photographs have 10, in CMYK 18. */
    private static final int MAX_SCANS = 24;
    /** Maximum number of values of a progressive image, which decoders keep in memory: 100 MB at two bytes each, as in libtiff. */
    private static final long MAX_PROGRESSIVE = 50_000_000;

    /**
     * The block's size according to the directory.
     *
     * @param width width in pixels
     * @param rows number of rows that are needed
     * @param height maximum number of rows
     * @param components number of components
     */
    record Expected(int width, int rows, int height, int components) {}

    private final byte[] b;
    private final int end;
    private final Expected expected;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private int scans;

    private TiffJpeg(byte[] b, int end, Expected expected) {
        this.b = b;
        this.end = end;
        this.expected = expected;
    }

    /**
     * Decodes a block.
     *
     * @param tables a JPEG stream with the tables shared by blocks, or an empty array
     * @return a raster of bytes that is at least as large as needed
     * @throws IOException if the data are damaged or incomplete, or contradict the directory
     */
    static Raster decode(byte[] tables, byte[] bytes, int from, int to, Expected expected) throws IOException {
        TiffJpeg image = new TiffJpeg(bytes, to, expected);
        image.out.writeBytes(START);
        if (tables.length > 0) {
            TiffJpeg shared = new TiffJpeg(tables, tables.length, expected);
            if (tables.length > MAX_TABLES) {
                throw shared.damaged("tables of " + tables.length + " bytes");
            }
            shared.copy(0, false);
            image.out.writeBytes(shared.out.toByteArray());
        }
        image.copy(from, true);
        return decode(image.out.toByteArray());
    }

    private static Raster decode(byte[] jpeg) throws IOException {
        ImageReader reader = JdkJpegReader.create();
        try (ImageInputStream in = new ByteArrayImageInputStream(jpeg)) {
            AtomicReference<String> damage = new AtomicReference<>();
            reader.addIIOReadWarningListener((source, warning) -> damage.compareAndSet(null, warning));
            reader.setInput(in, true, true);
            Raster raster = reader.readRaster(0, null);
            if (damage.get() != null) {
                throw new IOException(damage.get());
            }
            return raster;
        } catch (IOException | RuntimeException e) {
            throw new IOException("damaged image: JPEG data in a strip or tile: " + e.getMessage(), e);
        } finally {
            reader.dispose();
        }
    }

    /** Copies the segments after the start of the image up to its end, without application segments and comments. */
    private void copy(int from, boolean image) throws IOException {
        if (end - from < 2 || (b[from] & 255) != 0xff || (b[from + 1] & 255) != 0xd8) {
            throw damaged("the start is missing");
        }
        int at = from + 2;
        while (true) {
            while (at + 1 < end && (b[at] & 255) == 0xff && (b[at + 1] & 255) == 0xff) {
                at++;
            }
            if (at + 1 >= end || (b[at] & 255) != 0xff) {
                if (!image) {
                    return;
                }
                throw damaged("the end is missing");
            }
            int marker = b[at + 1] & 255;
            if (marker == 0xd9) {
                if (image) {
                    out.write(b, at, 2);
                }
                return;
            }
            if (at + 4 > end || at + 2 + length(at) > end || length(at) < 2) {
                throw damaged("a segment is incomplete");
            }
            int next = at + 2 + length(at);
            boolean frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
            if (image && frame) {
                frame(marker, at);
            } else if (marker == 0xda) {
                next = scan(next);
            }
            boolean ofApplication = marker >= 0xe0 && marker <= 0xef || marker == 0xfe;
            if (!ofApplication && (image || !frame && marker != 0xda)) {
                out.write(b, at, next - at);
            }
            at = next;
        }
    }

    private int length(int at) {
        return (b[at + 2] & 255) << 8 | b[at + 3] & 255;
    }

    private IOException damaged(String what) {
        return new IOException("damaged image: JPEG data in a strip or tile: " + what);
    }

    /** Checks a frame header. */
    private void frame(int marker, int at) throws IOException {
        if (marker > 0xc2) {
            throw TiffKind.refused((marker == 0xc3 ? "lossless" : marker >= 0xc9 ? "arithmetic" : "hierarchical")
                    + " JPEG compression");
        } else if (length(at) < 8) {
            throw damaged("a segment is incomplete");
        } else if (b[at + 4] != 8) {
            throw TiffKind.refused(b[at + 4] + "-bit samples in JPEG compression");
        }
        int height = (b[at + 5] & 255) << 8 | b[at + 6] & 255;
        int width = (b[at + 7] & 255) << 8 | b[at + 8] & 255;
        int components = b[at + 9] & 255;
        if (components != expected.components
                || width != expected.width
                || height < expected.rows
                || height > expected.height) {
            throw damaged(components + " components of " + width + "x" + height + " pixels, expected "
                    + expected.components + " of " + expected.width + "x" + expected.rows);
        } else if (marker == 0xc2 && (long) width * height * components > MAX_PROGRESSIVE) {
            throw TiffKind.refused("large strips or tiles in progressive JPEG compression");
        }
    }

    /** Returns the end of a scan's data, which is at the next marker that is not part of the data. */
    private int scan(int from) throws IOException {
        if (++scans > MAX_SCANS) {
            throw TiffKind.refused("more than " + MAX_SCANS + " scans in JPEG compression");
        }
        int at = from;
        while (at + 1 < end && ((b[at] & 255) != 0xff || isWithin(b[at + 1] & 255))) {
            at++;
        }
        return at;
    }

    private static boolean isWithin(int marker) {
        return marker == 0 || marker == 0xff || marker >= 0xd0 && marker <= 0xd7;
    }
}
