package io.github.simclr4j.images.format;

import io.github.simclr4j.images.ImageDecoder;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import java.io.IOException;
import java.util.List;

/**
 * Decodes the first frame of GIF files (CompuServe, "Graphics Interchange Format, Version 89a"). The frame is laid over a black
 * screen, which grows if the frame goes beyond it. The JDK's decoder is not used: it holds several copies of the pixels, and takes
 * the last colour for transparent where the transparent index is beyond the colour table.
 */
public final class GifDecoder implements ImageDecoder {
    /** From which line on, and at which distances, the lines of an interlaced frame follow each other (appendix E). */
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
            // What is transparent shows the black screen. An index beyond the table is black, as in Pillow.
            if (index != frame.transparent() && 3 * index < colours.length) {
                System.arraycopy(colours, 3 * index, rgb, at, 3);
            }
        }
    }
}
