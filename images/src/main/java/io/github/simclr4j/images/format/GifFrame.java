// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The position and storage of the first frame of a GIF file (GIF89a, sections 18 to 23).
 *
 * @param screenWidth width of the screen in pixels, which may be 0
 * @param screenHeight height of the screen in pixels, which may be 0
 * @param left first column of the frame on the screen
 * @param top first row of the frame on the screen
 * @param width width of the frame in pixels, at least 1
 * @param height height of the frame in pixels, at least 1
 * @param interlaced whether its rows are stored in four passes
 * @param colours the colour table of the frame or else of the file, 3 bytes per colour
 * @param transparent the transparent index, or -1 for none
 * @param data position of its pixels in the file
 */
record GifFrame(
        int screenWidth,
        int screenHeight,
        int left,
        int top,
        int width,
        int height,
        boolean interlaced,
        byte[] colours,
        int transparent,
        int data) {
    private static final int EXTENSION = 0x21;
    private static final int IMAGE = 0x2c;
    private static final int GRAPHIC_CONTROL = 0xf9;

    /**
     * Reads the headers up to the first frame's pixels.
     *
     * @throws IOException if there is no frame, or if it has no colour table
     */
    static GifFrame first(byte[] file) throws IOException {
        try {
            return parse(ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN));
        } catch (BufferUnderflowException | IllegalArgumentException e) {
            throw new IOException("damaged GIF image: it ends before its first frame", e);
        }
    }

    private static GifFrame parse(ByteBuffer in) throws IOException {
        in.position(6);
        int screenWidth = in.getShort() & 0xffff;
        int screenHeight = in.getShort() & 0xffff;
        int flags = in.get();
        in.position(in.position() + 2);
        byte[] colours = table(in, flags);
        int transparent = -1;
        int kind = in.get();
        for (; kind == EXTENSION || kind == 0; kind = in.get()) {
            if (kind == EXTENSION && (in.get() & 0xff) == GRAPHIC_CONTROL && in.get(in.position()) >= 4) {
                int at = in.position() + 1;
                transparent = (in.get(at) & 1) != 0 ? in.get(at + 3) & 0xff : -1;
            }
            if (kind == EXTENSION) {
                skipBlocks(in);
            }
        }
        if (kind != IMAGE) {
            throw new IOException("damaged GIF image: it has no frame");
        }
        int left = in.getShort() & 0xffff;
        int top = in.getShort() & 0xffff;
        int width = in.getShort() & 0xffff;
        int height = in.getShort() & 0xffff;
        if (width == 0 || height == 0) {
            throw new IOException("damaged GIF image: its first frame has " + width + "x" + height + " pixels");
        }
        int local = in.get();
        byte[] own = table(in, local);
        if (own != null) {
            colours = own;
        } else if (colours == null) {
            throw new IOException("a GIF image without a colour table, so its colours are unknown: convert it to PNG");
        }
        return new GifFrame(
                screenWidth,
                screenHeight,
                left,
                top,
                width,
                height,
                (local & 0x40) != 0,
                colours,
                transparent,
                in.position());
    }

    /** Reads a colour table if the preceding flags announce one. */
    private static byte[] table(ByteBuffer in, int flags) {
        if ((flags & 0x80) == 0) {
            return null;
        }
        byte[] colours = new byte[3 << (flags & 7) + 1];
        in.get(colours);
        return colours;
    }

    private static void skipBlocks(ByteBuffer in) {
        for (int length = in.get() & 0xff; length > 0; length = in.get() & 0xff) {
            in.position(in.position() + length);
        }
    }
}
