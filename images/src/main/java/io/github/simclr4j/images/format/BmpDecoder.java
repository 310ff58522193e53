// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import io.github.simclr4j.images.ImageDecoder;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.images.internal.Samples;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/**
 * Decodes BMP files of Windows and OS/2, with or without the file header. Pixels of 32 bits have an opacity if the header has a
 * mask for it, as in Pillow. The JDK's decoder is not used, because it allocates as much memory as the header claims and accepts
 * truncated files.
 *
 * @since 0.1.0
 */
public final class BmpDecoder implements ImageDecoder {
    @Override
    public String format() {
        return "BMP";
    }

    @Override
    public List<String> endings() {
        return List.of(".bmp", ".dib");
    }

    @Override
    public boolean accepts(byte[] file) {
        return Signatures.at(file, 0, 'B', 'M') || BmpHeader.isBare(file);
    }

    @Override
    public RgbImage decode(byte[] file, SizeCheck size) throws IOException {
        BmpHeader header = BmpHeader.of(file);
        size.check(header.width(), header.height());
        byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(header.width(), header.height()))];
        if (header.isRunLength()) {
            new BmpRunLength(file, header).decode(rgb);
        } else {
            for (int y = 0; y < header.height(); y++) {
                int row = header.topDown() ? y : header.height() - 1 - y;
                int from = (int) (header.pixels() + y * header.stride());
                if (header.bits() <= 8) {
                    indexed(file, from, header, rgb, row);
                } else {
                    masked(file, from, header, rgb, row);
                }
            }
        }
        return new RgbImage(header.width(), header.height(), rgb);
    }

    private static void indexed(byte[] file, int from, BmpHeader header, byte[] rgb, int row) {
        int bits = header.bits();
        int mask = (1 << bits) - 1;
        int to = 3 * row * header.width();
        for (int x = 0; x < header.width(); x++) {
            int bit = x * bits;
            int index = file[from + (bit >> 3)] >> 8 - bits - (bit & 7) & mask;
            header.put(index, rgb, to + 3 * x);
        }
    }

    private static void masked(byte[] file, int from, BmpHeader header, byte[] rgb, int row) {
        int bytes = header.bits() / 8;
        int[] masks = header.masks();
        int to = 3 * row * header.width();
        if (bytes >= 3 && Arrays.equals(masks, BmpHeader.EIGHT_BITS)) {
            for (int x = 0, p = from; x < header.width(); x++, p += bytes) {
                rgb[to++] = file[p + 2];
                rgb[to++] = file[p + 1];
                rgb[to++] = file[p];
            }
            return;
        }
        for (int x = 0, p = from; x < header.width(); x++, p += bytes) {
            int value = 0;
            for (int b = 0; b < bytes; b++) {
                value |= (file[p + b] & 255) << 8 * b;
            }
            int opacity = masks[3] == 0 ? 255 : sample(value, masks[3]);
            for (int c = 0; c < 3; c++) {
                rgb[to++] = Samples.over(sample(value, masks[c]), opacity);
            }
        }
    }

    /** Returns the bits selected by a mask as a value from 0 to 255. */
    private static int sample(int value, int mask) {
        if (mask == 0) {
            return 0;
        }
        int shift = Integer.numberOfTrailingZeros(mask);
        return (int) (Integer.toUnsignedLong((value & mask) >>> shift) * 255 / Integer.toUnsignedLong(mask >>> shift));
    }
}
