package io.github.simclr4j.images.format;

import io.github.simclr4j.images.ImageDecoder;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.images.internal.Samples;
import java.awt.image.Raster;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/** Decodes JPEG files with the decoder of the JDK. */
public final class JpegDecoder implements ImageDecoder {
    @Override
    public String format() {
        return "JPEG";
    }

    @Override
    public List<String> endings() {
        return List.of(".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif");
    }

    @Override
    public boolean accepts(byte[] file) {
        return Signatures.at(file, 0, 0xff, 0xd8, 0xff);
    }

    @Override
    public RgbImage decode(byte[] file, SizeCheck size) throws IOException {
        ImageReader reader = JdkReaders.create("jpeg");
        try (ImageInputStream in = new ByteArrayImageInputStream(file)) {
            // The decoder fills what is missing with grey and only warns.
            AtomicReference<String> damage = new AtomicReference<>();
            reader.addIIOReadWarningListener((source, warning) -> {
                if (warning.contains("remature end") || warning.startsWith("Corrupt JPEG")) {
                    damage.compareAndSet(null, warning);
                }
            });
            reader.setInput(in, true, true);
            size.check(reader.getWidth(0), reader.getHeight(0));
            RgbImage image = jpegComponents(file) == 4 ? adobe(reader.readRaster(0, null), isYcck(file)) : Images.of(reader.read(0));
            if (damage.get() != null) {
                throw new IOException("damaged image: " + damage.get());
            }
            return image;
        } finally {
            reader.dispose();
        }
    }

    @Override
    public int orientation(byte[] file) {
        int exif = segment(file, (marker, at) -> marker == 0xe1 && Signatures.at(file, at + 4, 'E', 'x', 'i', 'f', 0, 0));
        return exif < 0 ? 1 : Exif.orientation(file, exif + 10, length(file, exif) - 8);
    }

    /** Four components of a JPEG file, which by Adobe's convention hold 255 minus the ink. */
    private static RgbImage adobe(Raster raster, boolean ycck) {
        int w = raster.getWidth();
        int h = raster.getHeight();
        byte[] rgb = new byte[3 * w * h];
        int[] line = new int[4 * w];
        int q = 0;
        for (int y = 0; y < h; y++) {
            raster.getPixels(0, y, w, 1, line);
            for (int p = 0; p < line.length; p += 4) {
                int k = line[p + 3];
                if (ycck) {
                    // JFIF's YCbCr, then the complement that libjpeg takes for ink.
                    double cb = line[p + 1] - 128;
                    double cr = line[p + 2] - 128;
                    int luma = line[p];
                    line[p] = 255 - Samples.clamp(luma + 1.402 * cr);
                    line[p + 1] = 255 - Samples.clamp(luma - 0.344136286 * cb - 0.714136286 * cr);
                    line[p + 2] = 255 - Samples.clamp(luma + 1.772 * cb);
                }
                for (int c = 0; c < 3; c++) {
                    rgb[q++] = Samples.over(line[p + c], k);
                }
            }
        }
        return new RgbImage(w, h, rgb);
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

    /** Number of components of a JPEG file, from its frame header; 0 if it has none. */
    private static int jpegComponents(byte[] b) {
        // SOF0 to SOF15, which share their range with DHT, JPG and DAC.
        int frame = segment(b, (marker, at) ->
                marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc);
        return frame < 0 || frame + 9 >= b.length ? 0 : b[frame + 9] & 255;
    }

    /** Whether a JPEG file's Adobe marker says that four components are YCCK. */
    private static boolean isYcck(byte[] b) {
        int adobe = segment(b, (marker, at) -> marker == 0xee && Signatures.at(b, at + 4, 'A', 'd', 'o', 'b', 'e'));
        return adobe >= 0 && adobe + 15 < b.length && b[adobe + 15] == 2;
    }
}
