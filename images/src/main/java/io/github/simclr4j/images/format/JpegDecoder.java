// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import io.github.simclr4j.images.ImageDecoder;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import java.io.IOException;
import java.util.List;
import javax.imageio.IIOException;

/**
 * Decodes 8-bit JPEG files with the JDK's decoder: baseline, extended and progressive; grey, YCbCr, RGB, CMYK and YCCK. The decoder
 * receives only the parts of the file that determine the pixels (see {@link JpegFile}), and writes the pixels to their final place. For a
 * progressive image it keeps all coefficients in native memory, two bytes each.
 *
 * @since 0.1.0
 */
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
        JpegFile jpeg = new JpegFile(file);
        size.check(jpeg.width(), jpeg.height());
        try {
            return JpegEnd.decode(jpeg);
        } catch (IIOException e) {
            throw new IOException("damaged image: " + e.getMessage(), e);
        }
    }

    @Override
    public int orientation(byte[] file) {
        return JpegOrientation.of(file);
    }
}
