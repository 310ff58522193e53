// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.examples;

import io.github.simclr4j.images.ImageDecoder;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Adds an image format that the library does not include: binary PPM images with 8 bits (Netpbm's P6).
 *
 * <p>All it takes is this class and its line in {@code META-INF/services/io.github.simclr4j.images.ImageDecoder}. A decoder has no
 * state, because many threads share it.
 *
 * @since 0.1.0
 */
public final class AddAFormat implements ImageDecoder {
    /** The magic number, width, height and largest value, separated by white space and comments. */
    private static final Pattern HEADER =
            Pattern.compile("P6(?:\\s|#.*\\n)+(\\d{1,9})(?:\\s|#.*\\n)+(\\d{1,9})(?:\\s|#.*\\n)+255\\s");

    @Override
    public String format() {
        return "PPM";
    }

    @Override
    public List<String> endings() {
        return List.of(".ppm");
    }

    @Override
    public boolean accepts(byte[] file) {
        return file.length > 2 && file[0] == 'P' && file[1] == '6' && Character.isWhitespace(file[2]);
    }

    @Override
    public RgbImage decode(byte[] file, SizeCheck size) throws IOException {
        Matcher header = HEADER.matcher(new String(file, 0, Math.min(file.length, 1024), StandardCharsets.ISO_8859_1));
        if (!header.lookingAt()) {
            throw new IOException("a PPM image with a damaged header, or not of 8 bits: convert it to PNG");
        }
        int width = Integer.parseInt(header.group(1));
        int height = Integer.parseInt(header.group(2));
        size.check(width, height); // may refuse the size; nothing is allocated before
        int from = header.end();
        int bytes = Math.multiplyExact(3, Math.multiplyExact(width, height));
        if (file.length - from < bytes) {
            throw new IOException("damaged PPM image: it ends before its pixels are complete");
        }
        return new RgbImage(width, height, Arrays.copyOfRange(file, from, from + bytes));
    }
}
