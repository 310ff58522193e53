// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.simclr4j.images.Preprocessing.Channels;
import io.github.simclr4j.images.Preprocessing.Interpolation;
import io.github.simclr4j.images.Preprocessing.Resize;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Geometry at its edges; ordinary images are compared with Pillow's and transformers' elsewhere. */
class PreprocessingTest {
    private static Preprocessing rule(Resize resize, int shortSide, Interpolation filter) {
        return new Preprocessing(32, 32, resize, shortSide, filter, Channels.RGB, null);
    }

    /** Provenance holds these. */
    @Test
    void rulesKeepTheirNames() {
        assertEquals(Preprocessing.RULE, new Preprocessing(32).rule());
        assertEquals(
                "center-square-antialiased-box-1, 32x32, rgb, bytes",
                rule(Resize.CENTER_SQUARE, 0, Interpolation.BOX).rule());
        assertEquals(
                "stretch-antialiased-bicubic-1, 32x32, rgb, bytes",
                rule(Resize.STRETCH, 0, Interpolation.BICUBIC).rule());
        assertEquals(
                "short-side-36-antialiased-bilinear-1, 32x32, rgb, bytes",
                rule(Resize.SHORT_SIDE, 36, Interpolation.BILINEAR).rule());
        assertEquals(
                "stretch-36-antialiased-bilinear-1, 32x32, rgb, bytes",
                rule(Resize.STRETCH, 36, Interpolation.BILINEAR).rule());
    }

    @Test
    void aLengthMustHoldTheImage() {
        for (Object[] bad : new Object[][] {
            {Resize.STRETCH, 31},
            {Resize.STRETCH, -1},
            {Resize.STRETCH, 8193},
            {Resize.SHORT_SIDE, 31},
            {Resize.SHORT_SIDE, 0},
            {Resize.CENTER_SQUARE, 40}
        }) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> rule((Resize) bad[0], (int) bad[1], Interpolation.BOX),
                    Arrays.toString(bad));
        }
    }

    @Test
    void stretchedToALengthIsTheStretchedImagesCentre() {
        RgbImage picture = picture(75, 50, 0);
        for (Interpolation filter : Interpolation.values()) {
            byte[] whole = new Preprocessing(36, 36, Resize.STRETCH, 0, filter, Channels.RGB, null)
                    .apply(picture)
                    .rgb();
            byte[] centre = rule(Resize.STRETCH, 36, filter).apply(picture).rgb();
            for (int y = 0; y < 32; y++) {
                int from = ((y + 2) * 36 + 2) * 3;
                assertArrayEquals(
                        Arrays.copyOfRange(whole, from, from + 96), Arrays.copyOfRange(centre, y * 96, y * 96 + 96));
            }
        }
        RgbImage done = picture(32, 32, 0);
        assertEquals(done, rule(Resize.STRETCH, 32, Interpolation.LANCZOS).apply(done));
    }

    /** A line of one grey stays that grey, whatever its length, in little memory. */
    @Test
    void linesOfAnyLengthBecomeAnImage() {
        byte[] grey = new byte[3 * 2_000_000];
        Arrays.fill(grey, (byte) 77);
        byte[] part = Arrays.copyOf(grey, 3 * 60_000);
        for (RgbImage line : new RgbImage[] {
            new RgbImage(60_000, 1, part), new RgbImage(1, 60_000, part), new RgbImage(2_000_000, 1, grey)
        }) {
            for (Preprocessing rule : new Preprocessing[] {
                rule(Resize.STRETCH, 0, Interpolation.BICUBIC),
                rule(Resize.STRETCH, 40, Interpolation.BILINEAR),
                rule(Resize.SHORT_SIDE, 8192, Interpolation.BICUBIC),
                rule(Resize.STRETCH, 0, Interpolation.NEAREST),
                rule(Resize.SHORT_SIDE, 40, Interpolation.NEAREST),
                new Preprocessing(32)
            }) {
                RgbImage found = rule.apply(line);
                assertEquals(32, found.width());
                for (byte b : found.rgb()) {
                    // A sum of 100,000 floats may be a little off.
                    assertEquals(77, b, line.width() > 60_000 ? 1 : 0, line.width() + "x" + line.height() + " " + rule);
                }
            }
        }
    }

    /** Resized to 2.4 billion columns, more than an integer counts, of which each half of the middle lies in one pixel. */
    @Test
    void theMiddleOfALongLineIsKept() {
        int length = 300_000;
        byte[] rgb = new byte[3 * length];
        rgb[3 * (length / 2 - 1)] = 31;
        rgb[3 * (length / 2)] = 32;
        Preprocessing box = new Preprocessing(8, 8, Resize.SHORT_SIDE, 8192, Interpolation.BOX, Channels.RGB, null);
        byte[] found = box.apply(new RgbImage(length, 1, rgb)).rgb();
        // The crop is off the middle by half a column: the fourth may be either.
        for (int x : new int[] {0, 1, 2, 4, 5, 6, 7}) {
            assertEquals(x < 4 ? 31 : 32, found[3 * x]);
        }
    }

    /** A picture that has another value in nearly every place. */
    private static RgbImage picture(int width, int height, int k) {
        byte[] rgb = new byte[width * height * 3];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                for (int c = 0; c < 3; c++) {
                    rgb[(y * width + x) * 3 + c] = (byte) (3 * x * x + 7 * y + 50 * c + x * y + 31 * k);
                }
            }
        }
        return new RgbImage(width, height, rgb);
    }
}
