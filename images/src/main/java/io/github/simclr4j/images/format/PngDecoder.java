// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import io.github.simclr4j.images.ImageDecoder;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import java.io.IOException;
import java.util.List;

/**
 * Decodes PNG files, and the default image of animations. The JDK's decoder is not used, because it does not verify checksums, decompresses
 * text and profiles of any size, and keeps several copies of the pixels.
 *
 * @since 0.1.0
 */
public final class PngDecoder implements ImageDecoder {
    /** A pass: its first column and row, and the distances of its columns and rows. */
    private record Pass(int x, int y, int dx, int dy) {}

    private static final List<Pass> WHOLE = List.of(new Pass(0, 0, 1, 1));
    /** The passes of an interlaced image (PNG specification, section 8.1). */
    private static final List<Pass> ADAM7 = List.of(
            new Pass(0, 0, 8, 8),
            new Pass(4, 0, 8, 8),
            new Pass(0, 4, 4, 8),
            new Pass(2, 0, 4, 4),
            new Pass(0, 2, 2, 4),
            new Pass(1, 0, 2, 2),
            new Pass(0, 1, 1, 2));

    @Override
    public String format() {
        return "PNG";
    }

    @Override
    public List<String> endings() {
        return List.of(".png", ".apng");
    }

    @Override
    public boolean accepts(byte[] file) {
        return Signatures.at(file, 0, 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n');
    }

    @Override
    public RgbImage decode(byte[] file, SizeCheck size) throws IOException {
        PngChunks chunks = PngChunks.of(file);
        size.check(chunks.width(), chunks.height());
        if (!PngLines.canHold(chunks)) {
            throw PngChunks.incomplete();
        }
        byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(chunks.width(), chunks.height()))];
        PngPixels pixels = new PngPixels(chunks);
        try (PngLines lines = new PngLines(file, chunks)) {
            for (Pass pass : chunks.interlaced() ? ADAM7 : WHOLE) {
                pass(pass, chunks, lines, pixels, rgb);
            }
        }
        return new RgbImage(chunks.width(), chunks.height(), rgb);
    }

    private static void pass(Pass pass, PngChunks chunks, PngLines lines, PngPixels pixels, byte[] rgb)
            throws IOException {
        int count = (chunks.width() - pass.x + pass.dx - 1) / pass.dx;
        if (count <= 0) {
            return;
        }
        lines.begin(Math.toIntExact(chunks.lineBytes(count)));
        for (int y = pass.y; y < chunks.height(); y += pass.dy) {
            pixels.write(lines.next(), count, rgb, 3 * (y * chunks.width() + pass.x), 3 * pass.dx);
        }
    }

    @Override
    public int orientation(byte[] file) {
        return PngOrientation.of(file);
    }
}
