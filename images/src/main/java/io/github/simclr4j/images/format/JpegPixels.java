// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import io.github.simclr4j.images.RgbImage;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicReference;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/**
 * The JDK decoder's result for a JPEG file.
 *
 * @param image the image, in which missing parts are grey or repeated
 * @param warning the first problem that the decoder found, or null if there was none; it reports no others
 */
record JpegPixels(RgbImage image, String warning) {
    private static final int[] RED_GREEN_BLUE = {0, 1, 2};
    private static final ColorModel RGB = new ComponentColorModel(
            ColorSpace.getInstance(ColorSpace.CS_sRGB), false, false, ColorModel.OPAQUE, DataBuffer.TYPE_BYTE);

    /**
     * Decodes a file.
     *
     * @param jpeg the structure of the file
     * @param essentials the bytes for the decoder
     */
    static JpegPixels decode(JpegFile jpeg, byte[] essentials) throws IOException {
        ImageReader reader = JdkJpegReader.create();
        AtomicReference<String> warning = new AtomicReference<>();
        try (ImageInputStream in = new ByteArrayImageInputStream(essentials)) {
            reader.addIIOReadWarningListener((source, text) -> warning.compareAndSet(null, text));
            reader.setInput(in, true, true);
            RgbImage image = switch (jpeg.colours()) {
                case CMYK -> JpegInks.toRgb(reader.readRaster(0, null), false);
                case YCCK -> JpegInks.toRgb(reader.readRaster(0, null), true);
                case GREY, YCBCR, RGB -> colours(reader, jpeg.width(), jpeg.height());
            };
            return new JpegPixels(image, warning.get());
        } finally {
            reader.dispose();
        }
    }

    /** Lets the decoder write red, green and blue to their final place. */
    private static RgbImage colours(ImageReader reader, int w, int h) throws IOException {
        byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(w, h))];
        WritableRaster pixels = Raster.createInterleavedRaster(
                new DataBufferByte(rgb, rgb.length), w, h, 3 * w, 3, RED_GREEN_BLUE, null);
        ImageReadParam param = new ImageReadParam();
        param.setDestination(new BufferedImage(RGB, pixels, false, null));
        reader.read(0, param);
        return new RgbImage(w, h, rgb);
    }
}
