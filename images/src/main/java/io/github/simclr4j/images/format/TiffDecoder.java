// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import io.github.simclr4j.images.ImageDecoder;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import java.io.IOException;
import java.util.List;

/**
 * Decodes the first image of TIFF files (<a href="https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf">TIFF 6.0</a>): grey, RGB,
 * palette, CMYK and YCbCr images of unsigned integers, in strips or tiles. The JDK's TIFF decoder is not used, because it silently
 * misinterprets many other kinds; only its JPEG decoder is.
 *
 * @since 0.1.0
 */
public final class TiffDecoder implements ImageDecoder {
    @Override
    public String format() {
        return "TIFF";
    }

    @Override
    public List<String> endings() {
        return List.of(".tif", ".tiff");
    }

    @Override
    public boolean accepts(byte[] file) {
        return Signatures.at(file, 0, 'I', 'I', 42, 0) || Signatures.at(file, 0, 'M', 'M', 0, 42);
    }

    @Override
    public RgbImage decode(byte[] file, SizeCheck size) throws IOException {
        TiffDirectory d = new TiffDirectory(file);
        TiffKind kind = TiffKind.of(d);
        TiffLayout layout = TiffLayout.of(d, kind, size);
        TiffBlocks blocks = new TiffBlocks(file, d, kind, layout);
        TiffPixels pixels = new TiffPixels(d, kind);
        byte[] rgb = new byte[3 * layout.width() * layout.height()];
        int[] samples = new int[layout.blockWidth() * kind.samples()];
        byte[] row = new byte[blocks.rowBytes()];
        for (int line = 0; line < layout.down(); line++) {
            for (int column = 0; column < layout.across(); column++) {
                int left = column * layout.blockWidth();
                int top = line * layout.blockHeight();
                int columns = Math.min(layout.blockWidth(), layout.width() - left);
                int bottom = top + Math.min(layout.blockHeight(), layout.height() - top);
                try (TiffPlanes planes = new TiffPlanes(blocks, kind, column, line)) {
                    for (int y = top; y < bottom; y++) {
                        planes.next(row, samples, pixels);
                        pixels.convert(samples, columns, rgb, 3 * (y * layout.width() + left));
                    }
                }
            }
        }
        return new RgbImage(layout.width(), layout.height(), rgb);
    }

    @Override
    public int orientation(byte[] file) {
        return Exif.orientation(file, 0, file.length);
    }
}
