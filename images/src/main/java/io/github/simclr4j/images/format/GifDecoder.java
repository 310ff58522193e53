// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import io.github.simclr4j.images.ImageDecoder;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import java.io.IOException;
import java.util.List;

/**
 * Decodes the first frame of GIF files (<a href="https://www.w3.org/Graphics/GIF/spec-gif89a.txt">GIF89a</a>). The frame is drawn on a
 * black screen, which is enlarged if the frame goes beyond it. The JDK's decoder is not used, because it keeps several copies of
 * the pixels, and treats the last colour as transparent if the transparent index is beyond the colour table.
 *
 * @since 0.1.0
 */
public final class GifDecoder implements ImageDecoder {
    /** First row and distance of the rows in each pass of an interlaced frame (appendix E). */
    private static final int[] PASS_START = {0, 4, 2, 1};

    private static final int[] PASS_STEP = {8, 8, 4, 2};

    @Override
    public String format() {
        return "GIF";
    }

    @Override
    public List<String> endings() {
        return List.of(".gif");
    }

    @Override
    public boolean accepts(byte[] file) {
        return Signatures.at(file, 0, 'G', 'I', 'F', '8');
    }

    @Override
    public RgbImage decode(byte[] file, SizeCheck size) throws IOException {
        GifFrame frame = GifFrame.first(file);
        GifPixels pixels = new GifPixels(file, frame.data());
        int width = Math.max(frame.screenWidth(), frame.left() + frame.width());
        int height = Math.max(frame.screenHeight(), frame.top() + frame.height());
        size.check(width, height);
        if ((long) frame.width() * frame.height() > pixels.most()) {
            throw GifPixels.incomplete();
        }
        byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(width, height))];
        int passes = frame.interlaced() ? PASS_START.length : 1;
        for (int pass = 0; pass < passes; pass++) {
            int step = frame.interlaced() ? PASS_STEP[pass] : 1;
            for (int y = PASS_START[pass]; y < frame.height(); y += step) {
                line(frame, pixels, rgb, 3 * ((frame.top() + y) * width + frame.left()));
            }
        }
        return new RgbImage(width, height, rgb);
    }

    private static void line(GifFrame frame, GifPixels pixels, byte[] rgb, int start) throws IOException {
        byte[] colours = frame.colours();
        int at = start;
        for (int x = 0; x < frame.width(); x++, at += 3) {
            int index = pixels.next();
            // Transparent pixels show the black screen. An index beyond the table is black, as in Pillow.
            if (index != frame.transparent() && 3 * index < colours.length) {
                System.arraycopy(colours, 3 * index, rgb, at, 3);
            }
        }
    }
}
