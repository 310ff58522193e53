package io.github.simclr4j.images.format;

import io.github.simclr4j.images.ImageDecoder;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.images.format.JpegFile.Ending;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import javax.imageio.IIOException;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/**
 * Decodes JPEG files of 8 bits with the decoder of the JDK: baseline, extended and progressive, grey, YCbCr, RGB, CMYK and YCCK.
 * The decoder gets only what the pixels depend on, see {@link JpegFile}, and writes them where they stay. A progressive picture
 * has all its coefficients in memory outside of Java's heap, two bytes each.
 */
public final class JpegDecoder implements ImageDecoder {
    private static final int[] RED_GREEN_BLUE = {0, 1, 2};
    private static final ColorModel RGB = new ComponentColorModel(ColorSpace.getInstance(ColorSpace.CS_sRGB), false, false,
            ColorModel.OPAQUE, DataBuffer.TYPE_BYTE);

    @Override
    public String format() {
        return "JPEG";
    }

    @Override
    public List<String> endings() {
        return List.of(".jpg", ".jpeg");
    }

    @Override
    public boolean accepts(byte[] file) {
        return Signatures.at(file, 0, 0xff, 0xd8, 0xff);
    }

    @Override
    public RgbImage decode(byte[] file, SizeCheck size) throws IOException {
        JpegFile jpeg = new JpegFile(file);
        size.check(jpeg.width(), jpeg.height());
        try {
            Decoded decoded = decode(jpeg, isPadded(jpeg) ? Ending.WITHOUT_ZEROS : Ending.AS_STORED);
            if (isLeftOver(decoded.warning) && !jpeg.isArithmetic()) {
                decoded = decode(jpeg, Ending.WITHOUT_ZEROS);
            }
            if (decoded.warning != null) {
                throw new IOException("damaged image: " + decoded.warning);
            }
            return decoded.image;
        } catch (IIOException e) {
            String reason = jpeg.isArithmetic()
                    ? "JPEG with arithmetic coding is not read by this Java (" + e.getMessage() + "): convert it to PNG, or to JPEG of"
                            + " the usual kind"
                    : "damaged image: " + e.getMessage();
            throw new IOException(reason, e);
        }
    }

    /**
     * Tells whether zeros follow the data. Where the end of a file was wiped out the decoder makes a picture of zeros as well, which
     * it cannot do without them. A last byte that is needed is nothing special: a flat picture may be all zeros.
     */
    private static boolean isPadded(JpegFile jpeg) throws IOException {
        if (jpeg.isArithmetic() || !jpeg.endsInZero()) {
            return false;
        }
        String warning = decode(jpeg, Ending.WITHOUT_LAST_BYTE).warning;
        return warning == null || isLeftOver(warning);
    }

    private static boolean isLeftOver(String warning) {
        return warning != null && warning.contains("extraneous bytes before marker");
    }

    /** What the decoder made of a file, and its first warning: it fills what is missing with grey and only warns. */
    private record Decoded(RgbImage image, String warning) {}

    private static Decoded decode(JpegFile jpeg, Ending ending) throws IOException {
        ImageReader reader = JdkReaders.create("jpeg");
        AtomicReference<String> warning = new AtomicReference<>();
        try (ImageInputStream in = new ByteArrayImageInputStream(jpeg.essentials(ending))) {
            reader.addIIOReadWarningListener((source, text) -> warning.compareAndSet(null, text));
            reader.setInput(in, true, true);
            RgbImage image = switch (jpeg.colours()) {
                case CMYK -> JpegInks.toRgb(reader.readRaster(0, null), false);
                case YCCK -> JpegInks.toRgb(reader.readRaster(0, null), true);
                case GREY, YCBCR, RGB -> colours(reader, jpeg.width(), jpeg.height());
            };
            return new Decoded(image, warning.get());
        } finally {
            reader.dispose();
        }
    }

    /** Lets the decoder write red, green and blue where they stay. */
    private static RgbImage colours(ImageReader reader, int w, int h) throws IOException {
        byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(w, h))];
        WritableRaster pixels = Raster.createInterleavedRaster(
                new DataBufferByte(rgb, rgb.length), w, h, 3 * w, 3, RED_GREEN_BLUE, null);
        ImageReadParam param = new ImageReadParam();
        param.setDestination(new BufferedImage(RGB, pixels, false, null));
        reader.read(0, param);
        return new RgbImage(w, h, rgb);
    }

    @Override
    public int orientation(byte[] file) {
        return JpegOrientation.of(file);
    }
}
