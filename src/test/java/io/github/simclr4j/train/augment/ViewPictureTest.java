// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.simclr4j.train.augment.ViewPicture.Composition;
import io.github.simclr4j.train.data.ImageSet;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The pixels of the picture of views, and its captions. */
class ViewPictureTest {
    private static ImageSet images(int side) {
        return new ImageSet(
                side,
                List.of(ViewFixtures.random(side, 1), ViewFixtures.random(side, 2)),
                new int[] {1, 0},
                List.of("cat", "dog"),
                List.of(),
                "none");
    }

    private static ViewPicture picture(int side, int count, String... compositions) {
        return new ViewPicture(
                images(side),
                List.of("a.png", "b.png"),
                List.of(compositions).stream()
                        .map(c -> Composition.of(c, AugmentationPipeline.of(c), 32))
                        .toList(),
                count,
                side);
    }

    @ParameterizedTest
    @CsvSource({"32, 8, none", "16, 20, none", "8, 1, none", "130, 2, none", "32, 2, grey@1"})
    void everyPixelOfAViewBecomesASquareOfItsColour(int side, int count, String composition) {
        ViewPicture views = picture(side, count, composition);
        ViewPicture.Drawn drawn = views.draw(3);
        ViewGenerator generator = new ViewGenerator(AugmentationPipeline.of(composition), side);
        int factor = views.cell() / side;
        for (int row = 0; row < 2; row++) {
            float[] original = new ViewGenerator(AugmentationPipeline.of("none"), side)
                    .view(images(side).pixels().get(row), side, 0);
            float[] view = generator.view(images(side).pixels().get(row), side, 0);
            for (int column = 0; column <= count; column++) {
                float[] expected = column == 0 ? original : view;
                for (int p = 0; p < views.cell() * views.cell(); p++) {
                    int x = p % views.cell();
                    int y = p / views.cell();
                    int i = y / factor * side + x / factor;
                    int rgb = drawn.picture().getRGB(views.left(column) + x, drawn.top() + row * drawn.step() + y);
                    for (int c = 0; c < 3; c++) {
                        assertEquals(255 * expected[i + c * side * side], rgb >> 16 - 8 * c & 255, 0.51);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"32, 8", "32, 4", "16, 12", "48, 5", "224, 5"})
    void thePictureIsWideEnoughToLookAt(int side, int count) {
        BufferedImage drawn = picture(side, count, "none").draw(1).picture();
        assertTrue(drawn.getWidth() >= 1200, "" + drawn.getWidth());
    }

    @Test
    void namesAreBeforeRowsAndWhatWasDoneIsBelowViews() {
        assumeTrue(ViewPicture.hasCaptions(), "Java finds no font here");
        ViewPicture views = picture(32, 2, "grey@1", "none");
        ViewPicture.Drawn drawn = views.draw(1);
        for (int row = 0; row < 2; row++) {
            int top = drawn.top() + row * drawn.step();
            assertTrue(ink(drawn.picture(), 0, views.left(0), top, drawn.step()), "a name before the row");
            int below = top + views.cell();
            int room = drawn.step() - views.cell();
            int[] expected = {0, 1, 1, 0, 0};
            for (int column = 0; column < 5; column++) {
                assertEquals(
                        expected[column] == 1,
                        ink(drawn.picture(), views.left(column), views.left(column) + views.cell(), below, room),
                        "column " + column);
            }
        }
        for (int column = 0; column < 5; column++) {
            assertTrue(
                    ink(drawn.picture(), views.left(column), views.left(column) + views.cell(), drawn.top() - 40, 30));
        }
    }

    private static boolean ink(BufferedImage picture, int left, int right, int top, int height) {
        return IntStream.range(top, top + height)
                .anyMatch(y -> IntStream.range(left, right).anyMatch(x -> (picture.getRGB(x, y) & 255) < 160));
    }

    @Test
    void longNamesAreShortenedInTheMiddle() {
        assumeTrue(ViewPicture.hasCaptions(), "Java finds no font here");
        Lettering small = Lettering.quiet(14);
        String name = "a-very-long-name-of-a-photograph-that-nobody-would-type-0815.jpeg";
        String shorter = small.shortened(name, 150);
        assertTrue(small.width(shorter) <= 150);
        assertTrue(shorter.startsWith("a-ver") && shorter.endsWith(".jpeg") && shorter.contains("…"), shorter);
        assertEquals("short.png", small.shortened("short.png", 150));
        List<String> lines = small.wrapped(List.of("crop-bilinear", "flip", "jitter", "grey", "solarise"), 130);
        assertEquals("crop-bilinear, flip, jitter, grey, solarise", String.join(" ", lines));
        assertTrue(lines.size() > 1 && lines.stream().allMatch(l -> small.width(l) <= 130), lines.toString());
    }

    @Test
    void whatCannotBeDrawnIsRefused() {
        assertTrue(assertThrows(IllegalArgumentException.class, () -> picture(32, 0, "none"))
                .getMessage()
                .contains("0 views"));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> picture(1024, 100, "none", "none"))
                .getMessage()
                .contains("is too large: draw fewer images"));
        assertThrows(
                IllegalArgumentException.class,
                () -> new ViewPicture(
                        images(8),
                        List.of("a"),
                        List.of(Composition.of("none", AugmentationPipeline.of("none"), 32)),
                        1,
                        8));
    }
}
