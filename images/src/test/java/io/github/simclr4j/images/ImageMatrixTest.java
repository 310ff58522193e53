// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Reads the image matrix: every kind of file that image_matrix.py writes is right, or refused in words that say what it is. The
 * expected pixels are Pillow's, or NumPy's where Pillow does not read a kind.
 */
class ImageMatrixTest {
    /** Java's or a library's name of a class. */
    private static final String CLASS_NAME = "(?s).*\\b(javax?|com|org|io)\\.\\w+\\..*|.*(Exception|Error)\\b.*";

    /** Every archive is a test, which lists all of its files that are wrong. */
    @TestFactory
    Stream<DynamicTest> everyFileOfTheMatrixIsRightOrRefusedByName() {
        return ImageMatrix.archives().stream()
                .map(archive -> DynamicTest.dynamicTest(archive, () -> {
                    List<String> wrong = new ArrayList<>();
                    for (ImageMatrix.Row row : ImageMatrix.read(archive)) {
                        String found = difference(row);
                        if (found != null) {
                            wrong.add(row.name() + ": " + found);
                        }
                    }
                    assertTrue(
                            wrong.isEmpty(),
                            wrong.size() + " of " + archive + " are wrong:\n" + String.join("\n", wrong));
                }));
    }

    /** What is wrong with what is read from a file of the matrix; null if nothing is. */
    private static String difference(ImageMatrix.Row row) {
        RgbImage image;
        try {
            image = Images.read(row.file());
        } catch (IOException e) {
            if (row.refused() == null) {
                return "refused: " + e.getMessage();
            }
            boolean clear =
                    e.getMessage().lines().count() == 1 && !e.getMessage().matches(CLASS_NAME);
            return clear && e.getMessage().matches("(?s).*(" + row.refused() + ").*")
                    ? null
                    : "refused with \"" + e.getMessage() + "\" instead of " + row.refused();
        } catch (RuntimeException | Error e) {
            return "throws " + e;
        }
        if (row.refused() != null) {
            return "read, and not refused with " + row.refused();
        }
        ByteBuffer expected = ByteBuffer.wrap(row.pixels());
        String size = expected.getInt() + "x" + expected.getInt();
        if (!size.equals(image.width() + "x" + image.height())) {
            return "is " + image.width() + "x" + image.height() + " and not " + size;
        }
        int most = 0;
        long sum = 0;
        for (byte b : image.rgb()) {
            int difference = Math.abs((b & 255) - (expected.get() & 255));
            most = Math.max(most, difference);
            sum += difference;
        }
        double mean = (double) sum / image.rgb().length;
        return most <= row.largest() && mean <= row.mean()
                ? null
                : String.format(
                        "differs by up to %d, %.3f in the mean; allowed are %s and %s",
                        most, mean, row.largest(), row.mean());
    }

    /** Prints the table of docs/images.md: the files by format and first word of their names. */
    @Test
    void theMatrixHasManyFilesOfEveryFormat() throws IOException {
        int files = 0;
        for (String archive : ImageMatrix.archives()) {
            Map<String, int[]> kinds = new TreeMap<>();
            int[] all = new int[2];
            for (ImageMatrix.Row row : ImageMatrix.read(archive)) {
                int refused = row.refused() == null ? 0 : 1;
                kinds.computeIfAbsent(row.name().replaceAll("[-.].*", ""), k -> new int[2])[refused]++;
                all[refused]++;
            }
            StringBuilder line =
                    new StringBuilder("| " + archive.replace(".zip", "") + " | " + all[0] + " | " + all[1] + " | ");
            kinds.forEach((kind, n) -> line.append(kind)
                    .append(' ')
                    .append(n[0])
                    .append(n[1] > 0 ? " + " + n[1] : "")
                    .append(", "));
            System.out.println(line.substring(0, line.length() - 2) + " |");
            files += all[0] + all[1];
        }
        assertTrue(files >= 400, files + " files");
    }
}
