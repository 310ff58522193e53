package io.github.simclr4j.images.format;

import io.github.simclr4j.images.ImageDecoder;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** Decodes the first frame of GIF files with the decoder of the JDK. */
public final class GifDecoder implements ImageDecoder {
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
        return onScreen(JdkReaders.read("gif", file, size), file, size);
    }

    /** Puts the first frame of a GIF file where it belongs on its screen (GIF89a, sections 18 and 20), on black. */
    private static RgbImage onScreen(RgbImage frame, byte[] gif, SizeCheck size) throws IOException {
        ByteBuffer in = ByteBuffer.wrap(gif).order(ByteOrder.LITTLE_ENDIAN);
        int width = in.getShort(6) & 0xffff;
        int height = in.getShort(8) & 0xffff;
        if (width == frame.width() && height == frame.height() || width == 0 || height == 0) {
            return frame;
        }
        int at = 13 + ((gif[10] & 0x80) != 0 ? 3 << (gif[10] & 7) + 1 : 0);
        while (gif[at] == 0x21) {
            // An extension: its label, then blocks until an empty one.
            for (at += 2; gif[at] != 0; at += 1 + (gif[at] & 255)) { }
            at++;
        }
        int left = in.getShort(at + 1) & 0xffff;
        int top = in.getShort(at + 3) & 0xffff;
        size.check(width, height);
        byte[] screen = new byte[3 * width * height];
        int columns = Math.min(frame.width(), width - left);
        for (int y = 0; y < Math.min(frame.height(), height - top) && columns > 0; y++) {
            System.arraycopy(frame.rgb(), 3 * y * frame.width(), screen, 3 * ((top + y) * width + left), 3 * columns);
        }
        return new RgbImage(width, height, screen);
    }
}
