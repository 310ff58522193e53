// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.RgbImage;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import javax.imageio.ImageIO;

/** Images whose every value follows from a formula, written in the formats that are read. */
public final class Samples {
    private Samples() {}

    /** The value of a colour of a pixel of an image. */
    static int value(int image, int channel, int y, int x) {
        return 31 * image + 97 * channel + 7 * y + 3 * x & 255;
    }

    /** What should be read, [height, width, 3]. */
    public static byte[] expected(int image, int width, int height) {
        byte[] rgb = new byte[width * height * 3];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) value(image, i % 3, i / 3 / width, i / 3 % width);
        }
        return rgb;
    }

    public static byte[] png(int image, int width, int height) throws IOException {
        BufferedImage picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                picture.setRGB(x, y, value(image, 0, y, x) << 16 | value(image, 1, y, x) << 8 | value(image, 2, y, x));
            }
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(picture, "png", out);
        return out.toByteArray();
    }

    public static Path write(Path file, byte[] bytes) throws IOException {
        Files.createDirectories(file.getParent());
        return Files.write(file, bytes);
    }

    /** Images {@code from} to {@code to} - 1, each after its label bytes: CIFAR's colour by colour. */
    public static byte[] cifar(int from, int to, int labelBytes) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int i = from; i < to; i++) {
            if (labelBytes == 2) {
                out.write(i % 20);
            }
            out.write(i % (labelBytes == 2 ? 100 : 10));
            for (int c = 0; c < 3; c++) {
                for (int y = 0; y < 32; y++) {
                    for (int x = 0; x < 32; x++) {
                        out.write(value(i, c, y, x));
                    }
                }
            }
        }
        return out.toByteArray();
    }

    /** STL-10's order: colour by colour, column by column. */
    static byte[] stl(int from, int to) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int i = from; i < to; i++) {
            for (int c = 0; c < 3; c++) {
                for (int x = 0; x < 96; x++) {
                    for (int y = 0; y < 96; y++) {
                        out.write(value(i, c, y, x));
                    }
                }
            }
        }
        return out.toByteArray();
    }

    /** A value by its place in an IDX file. */
    interface Value {
        int at(int[] index);
    }

    static byte[] idx(Value value, int... dimensions) {
        int n = 1;
        for (int d : dimensions) {
            n *= d;
        }
        ByteBuffer out = idxHeader(8, n, dimensions);
        int[] index = new int[dimensions.length];
        for (int i = 0; i < n; i++) {
            out.put((byte) value.at(index));
            for (int k = index.length - 1; k >= 0 && ++index[k] == dimensions[k] && k > 0; k--) {
                index[k] = 0;
            }
        }
        return out.array();
    }

    static ByteBuffer idxHeader(int type, int values, int... dimensions) {
        ByteBuffer out = ByteBuffer.allocate(4 + 4 * dimensions.length + values);
        out.put((byte) 0).put((byte) 0).put((byte) type).put((byte) dimensions.length);
        for (int d : dimensions) {
            out.putInt(d);
        }
        return out;
    }

    static byte[] gzip(byte[] bytes) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gz = new GZIPOutputStream(out)) {
            gz.write(bytes);
        }
        return out.toByteArray();
    }

    /** Whether an image of a source is the one of the formula. */
    static boolean is(RgbImage image, int number, int width, int height) {
        return image.width() == width
                && image.height() == height
                && Arrays.equals(expected(number, width, height), image.rgb());
    }
}
