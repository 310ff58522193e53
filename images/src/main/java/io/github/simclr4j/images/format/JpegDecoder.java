package io.github.simclr4j.images.format;

import io.github.simclr4j.images.ImageDecoder;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
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
            // The decoder fills what is missing with grey and only warns, of the first fault alone.
            AtomicReference<String> warning = new AtomicReference<>();
            RgbImage image = decode(jpeg, false, warning);
            if (warning.get() != null && warning.get().contains("extraneous bytes before marker")) {
                // Either the data are followed by padding, or they were wiped out and the picture was made of zeros.
                warning.set(null);
                image = decode(jpeg, true, warning);
            }
            if (warning.get() != null) {
                throw new IOException("damaged image: " + warning.get());
            }
            return image;
        } catch (IIOException e) {
            String reason = jpeg.isArithmetic()
                    ? "JPEG with arithmetic coding is not read by this Java (" + e.getMessage() + "): convert it to PNG, or to JPEG of"
                            + " the usual kind"
                    : "damaged image: " + e.getMessage();
            throw new IOException(reason, e);
        }
    }

    private static RgbImage decode(JpegFile jpeg, boolean withoutPadding, AtomicReference<String> warning) throws IOException {
        ImageReader reader = JdkReaders.create("jpeg");
        try (ImageInputStream in = new ByteArrayImageInputStream(jpeg.essentials(withoutPadding))) {
            reader.addIIOReadWarningListener((source, text) -> warning.compareAndSet(null, text));
            reader.setInput(in, true, true);
            int w = jpeg.width();
            int h = jpeg.height();
            switch (jpeg.colours()) {
                case CMYK, YCCK -> {
                    return JpegInks.toRgb(reader.readRaster(0, null), jpeg.colours() == JpegFile.Colours.YCCK);
                }
                default -> {
                    byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(w, h))];
                    WritableRaster pixels = Raster.createInterleavedRaster(
                            new DataBufferByte(rgb, rgb.length), w, h, 3 * w, 3, RED_GREEN_BLUE, null);
                    ImageReadParam param = new ImageReadParam();
                    param.setDestination(new BufferedImage(RGB, pixels, false, null));
                    reader.read(0, param);
                    return new RgbImage(w, h, rgb);
                }
            }
        } finally {
            reader.dispose();
        }
    }

    @Override
    public int orientation(byte[] file) {
        return JpegOrientation.of(file);
    }
}
