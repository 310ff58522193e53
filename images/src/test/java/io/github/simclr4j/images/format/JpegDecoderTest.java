// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.RgbImage;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The files and what Pillow reads from them: see make.py beside them. */
class JpegDecoderTest {
    /** What decoders may differ by: how they round the inverse transform and interpolate halved chroma. */
    private static final int TOLERANCE = 5;

    private static final byte[] END = {(byte) 0xff, (byte) 0xd9};

    private static byte[] resource(String name) throws IOException {
        try (var in = JpegDecoderTest.class.getResourceAsStream("/jpeg/" + name)) {
            return in.readAllBytes();
        }
    }

    private static Stream<String[]> lines(String name) throws IOException {
        return new String(resource(name), StandardCharsets.US_ASCII).lines().map(line -> line.split(" ", 4));
    }

    /** One file of each kind. */
    private static List<String> whole() throws IOException {
        return lines("expected.txt")
                .map(f -> f[0])
                .filter(name -> name.startsWith("whole-"))
                .toList();
    }

    private static byte[] join(byte[] a, byte[] b) {
        byte[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    @TestFactory
    Stream<DynamicTest> everyFileGivesPillowsPixels() throws IOException {
        return lines("expected.txt")
                .map(f -> DynamicTest.dynamicTest(f[0], () -> {
                    RgbImage image = Images.read(resource(f[0]));
                    assertEquals(f[1] + "x" + f[2], image.width() + "x" + image.height());
                    byte[] expected = HexFormat.of().parseHex(f[3]);
                    for (int i = 0; i < expected.length; i++) {
                        assertEquals(expected[i] & 255, image.rgb()[i] & 255, TOLERANCE, "value " + i);
                    }
                }));
    }

    @TestFactory
    Stream<DynamicTest> whatCanNotBeReadIsRefusedByName() throws IOException {
        return new String(resource("refused.txt"), StandardCharsets.US_ASCII)
                .lines()
                .map(line -> line.split(" ", 2))
                .map(f -> DynamicTest.dynamicTest(f[0], () -> {
                    IOException e = assertThrows(IOException.class, () -> Images.read(resource(f[0])));
                    assertTrue(e.getMessage().contains(f[1]) && e.getMessage().contains("convert it"), e.getMessage());
                }));
    }

    /** Whether or not somebody has put an end marker behind the cut. */
    @Test
    void aFileCutAnywhereIsAnErrorOrHasAllItsPixels() throws IOException {
        for (String name : whole()) {
            byte[] file = resource(name);
            RgbImage expected = Images.read(file);
            int errors = 0;
            for (int length = 0; length < file.length; length++) {
                byte[] cut = Arrays.copyOf(file, length);
                for (byte[] b : List.of(cut, join(cut, END))) {
                    try {
                        assertArrayEquals(expected.rgb(), Images.read(b).rgb(), name + " cut at " + length);
                    } catch (IOException e) {
                        errors++;
                    }
                }
            }
            // What is left are the end marker's own two bytes.
            assertEquals(2 * file.length - 4, errors, name);
        }
        assertThrows(IOException.class, () -> Images.read(resource("cut/cut-progressive-accepted.jpg")));
    }

    /**
     * As a disk leaves it that has lost the last blocks of a file. A decoder that happens to need exactly as many zeros as there are
     * can't tell, which is rare.
     */
    @Test
    void aFileWhoseEndWasWipedOutIsAnError() throws IOException {
        int files = 0;
        int wrong = 0;
        for (String name : whole()) {
            byte[] file = resource(name);
            RgbImage expected = Images.read(file);
            for (int from = 100; from < file.length - 12; from++) {
                for (int kept : new int[] {0, 2}) {
                    byte[] wiped = file.clone();
                    Arrays.fill(wiped, from, file.length - kept, (byte) 0);
                    files++;
                    try {
                        wrong +=
                                Arrays.equals(expected.rgb(), Images.read(wiped).rgb()) ? 0 : 1;
                    } catch (IOException e) {
                        assertTrue(e.getMessage().startsWith("damaged image: "), e.getMessage());
                    }
                }
            }
        }
        assertTrue(files > 10_000 && wrong < files / 1000, wrong + " of " + files);
    }

    /** Three bytes a pixel are the picture itself. */
    @Test
    void aLargePictureNeedsLittleMoreThanItsPixels() throws IOException {
        int side = 3000;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(new BufferedImage(side, side, BufferedImage.TYPE_3BYTE_BGR), "jpg", out);
        byte[] file = out.toByteArray();
        Images.read(resource("whole-444.jpg"));
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        assertEquals(side, Images.read(file).width());
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(allocated < 3.5 * side * side, allocated + " bytes");
    }

    @Test
    void scansWithoutEndAreNotReadWithoutEnd() throws IOException {
        byte[] file = resource("whole-progressive.jpg");
        List<Integer> headers = new ArrayList<>();
        for (int i = 0; i + 1 < file.length; i++) {
            if (file[i] == (byte) 0xff && file[i + 1] == (byte) 0xda) {
                headers.add(i);
            }
        }
        byte[] scan = Arrays.copyOfRange(file, headers.get(headers.size() - 1), file.length - 2);
        byte[] again = Arrays.copyOf(file, file.length - 2);
        IOException e = assertThrows(IOException.class, () -> Images.read(join(join(again, scan), END)));
        assertTrue(e.getMessage().contains("not in order"), e.getMessage());

        byte[] grey = resource("whole-grey.jpg");
        int start = new String(grey, StandardCharsets.ISO_8859_1).indexOf("\u00ff\u00da");
        byte[] whole = Arrays.copyOf(grey, grey.length - 2);
        byte[] many = whole;
        for (int i = 0; i < 64; i++) {
            many = join(many, Arrays.copyOfRange(whole, start, whole.length));
        }
        byte[] bomb = join(many, END);
        e = assertThrows(IOException.class, () -> Images.read(bomb));
        assertTrue(e.getMessage().contains("more than 64 scans"), e.getMessage());
    }

    /** A picture takes at least a bit for each of its blocks: nobody waits for one of 98 megapixels in a kilobyte. */
    @Test
    void aShortFileThatClaimsToBeLargeIsRefusedAtOnce() throws IOException {
        for (String name : List.of("whole-420.jpg", "whole-progressive.jpg")) {
            byte[] file = resource(name);
            String text = new String(file, StandardCharsets.ISO_8859_1);
            int frame = Math.max(text.indexOf("\u00ff\u00c0"), text.indexOf("\u00ff\u00c2"));
            ByteBuffer.wrap(file).putShort(frame + 5, (short) 9900).putShort(frame + 7, (short) 9900);
            IOException e = assertThrows(
                    IOException.class,
                    () -> Images.read(file, (w, h) -> {
                        throw new IllegalStateException("asked for " + w + "x" + h);
                    }));
            assertTrue(e.getMessage().contains("cut short"), e.getMessage());
        }
    }

    /** Two bytes a kilobyte changed: an image or one line. */
    @Test
    void mutatedFilesGiveAnImageOrOneLine() throws IOException {
        Random random = new Random(7);
        for (String name : whole()) {
            byte[] file = resource(name);
            for (int i = 0; i < 300; i++) {
                byte[] mutated = file.clone();
                for (int j = 0; j < 2; j++) {
                    mutated[2 + random.nextInt(file.length - 2)] = (byte) random.nextInt();
                }
                try {
                    Images.read(mutated, (w, h) -> {
                        if ((long) w * h > 1_000_000) {
                            throw new IOException("larger than the test wants");
                        }
                    });
                } catch (IOException e) {
                    assertTrue(!e.getMessage().contains("\n") && !e.getMessage().contains("Exception"), e.getMessage());
                }
            }
        }
    }
}
