// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import io.github.simclr4j.images.ImageDecoder;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.images.internal.Samples;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Decodes WebP files (<a href="https://www.rfc-editor.org/rfc/rfc9649">RFC 9649</a>): lossy, lossless, with opacity, and the first frame of
 * animations on its canvas. The results equal those of libwebp exactly. No native code is used.
 *
 * @since 0.1.0
 */
public final class WebPDecoder implements ImageDecoder {
    @Override
    public String format() {
        return "WebP";
    }

    @Override
    public List<String> endings() {
        return List.of(".webp");
    }

    @Override
    public boolean accepts(byte[] file) {
        return Signatures.at(file, 0, 'R', 'I', 'F', 'F') && Signatures.at(file, 8, 'W', 'E', 'B', 'P');
    }

    @Override
    public RgbImage decode(byte[] file, SizeCheck size) throws IOException {
        WebPFrame frame = WebPFrame.first(file);
        size.check(frame.canvasWidth(), frame.canvasHeight());
        byte[] rgb = frame.lossless() ? lossless(file, frame) : lossy(file, frame);
        return new RgbImage(frame.canvasWidth(), frame.canvasHeight(), onCanvas(rgb, frame));
    }

    private static byte[] lossless(byte[] file, WebPFrame frame) throws IOException {
        WebPLosslessBits in = new WebPLosslessBits(file, frame.from() + 5, frame.end());
        int[] argb = WebPLossless.decode(in, frame.width(), frame.height());
        byte[] rgb = new byte[Math.multiplyExact(3, argb.length)];
        int q = 0;
        for (int pixel : argb) {
            rgb[q] = (byte) (pixel >> 16);
            rgb[q + 1] = (byte) (pixel >> 8);
            rgb[q + 2] = (byte) pixel;
            q += 3;
        }
        if (frame.transparent()) {
            for (int i = 0; i < rgb.length; i++) {
                rgb[i] = Samples.over(rgb[i] & 255, argb[i / 3] >>> 24);
            }
        }
        return rgb;
    }

    private static byte[] lossy(byte[] file, WebPFrame frame) throws IOException {
        byte[] rgb = WebPVp8.decode(file, frame.from(), frame.end(), frame.width(), frame.height());
        if (frame.transparent()) {
            byte[] alpha = WebPAlpha.decode(file, frame.alphaFrom(), frame.alphaEnd(), frame.width(), frame.height());
            for (int i = 0; i < rgb.length; i++) {
                rgb[i] = Samples.over(rgb[i] & 255, alpha[i / 3] & 255);
            }
        }
        return rgb;
    }

    /** Draws an image at its position on a black canvas. */
    private static byte[] onCanvas(byte[] rgb, WebPFrame frame) {
        if (frame.width() == frame.canvasWidth() && frame.height() == frame.canvasHeight()) {
            return rgb;
        }
        byte[] canvas = new byte[Math.multiplyExact(3, Math.multiplyExact(frame.canvasWidth(), frame.canvasHeight()))];
        for (int y = 0; y < frame.height(); y++) {
            System.arraycopy(
                    rgb,
                    3 * y * frame.width(),
                    canvas,
                    3 * ((frame.top() + y) * frame.canvasWidth() + frame.left()),
                    3 * frame.width());
        }
        return canvas;
    }

    @Override
    public int orientation(byte[] file) {
        ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        int exif = Exif.NONE;
        int xmp = Exif.NONE;
        for (int at = 12; at + 8 <= file.length; ) {
            int length = in.getInt(at + 4);
            if (length < 0 || length > file.length - at - 8) {
                break;
            }
            if (Signatures.at(file, at, 'E', 'X', 'I', 'F')) {
                int skip = Signatures.at(file, at + 8, 'E', 'x', 'i', 'f', 0, 0) ? 6 : 0;
                exif = Exif.find(file, at + 8 + skip, length - skip);
            } else if (Signatures.at(file, at, 'X', 'M', 'P', ' ')) {
                xmp = Xmp.orientation(file, at + 8, at + 8 + length);
            }
            at += 8 + length + (length & 1);
        }
        return exif != Exif.NONE ? exif : Math.max(1, xmp);
    }
}
