// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.RgbImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class WebPDecoderTest {
    /** Files made by webp/make.py, each with a PNG of the pixels that libwebp decodes, by name. */
    private static final Map<String, byte[]> MATRIX = matrix();

    private static final List<String> SAMPLES = List.of(
            "lossy-photo-1x1-q0-m0",
            "lossy-method-4",
            "lossy-partitions-3",
            "lossy-alpha-ramp-quality-80",
            "lossy-alpha-raw-filter-3-processed-0",
            "lossless-alpha-ramp-exact-0",
            "lossless-colours-5-37x22",
            "lossless-quality-100-method-6",
            "animation-lossy-alpha-4-6-40x35-alpha-1",
            "animation-by-pillow-lossless-rgba",
            "container-lossy-everything",
            "container-lossless-alpha-everything");

    private static Map<String, byte[]> matrix() {
        Map<String, byte[]> files = new TreeMap<>();
        try (ZipInputStream zip = new ZipInputStream(WebPDecoderTest.class.getResourceAsStream("/webp/matrix.zip"))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                files.put(entry.getName(), zip.readAllBytes());
            }
        } catch (IOException e) {
            throw new ExceptionInInitializerError(e);
        }
        return files;
    }

    private static byte[] sample(String name) {
        return MATRIX.get(name + ".webp").clone();
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = WebPDecoderTest.class.getResourceAsStream("/webp/" + name)) {
            return in.readAllBytes();
        }
    }

    private static RgbImage decode(byte[] file) throws IOException {
        return new WebPDecoder().decode(file, (width, height) -> {
            if ((long) width * height > 4_000_000) {
                throw new IOException("too large for this test");
            }
        });
    }

    /** Decodes a damaged file: the pixels, or null if it is refused in plain words. */
    private static byte[] decodeOrRefuse(byte[] file, String name) {
        long start = System.nanoTime();
        try {
            return decode(file).rgb();
        } catch (IOException e) {
            assertTrue(
                    e.getMessage().contains("WebP image:") || e.getMessage().startsWith("too large"), name + ": " + e);
            return null;
        } catch (RuntimeException e) {
            return fail(name, e);
        } finally {
            assertTrue(System.nanoTime() - start < 5_000_000_000L, name + " took longer than 5 s");
        }
    }

    private static void putSize(byte[] file, int at, int size) {
        for (int i = 0; i < 4; i++) {
            file[at + i] = (byte) (size >> 8 * i);
        }
    }

    /** A file with one chunk. */
    private static byte[] file(String chunk, byte[] payload) {
        byte[] file = Arrays.copyOf(
                ("RIFF0000WEBP" + chunk + "0000").getBytes(java.nio.charset.StandardCharsets.US_ASCII),
                20 + payload.length + (payload.length & 1));
        System.arraycopy(payload, 0, file, 20, payload.length);
        putSize(file, 4, file.length - 8);
        putSize(file, 16, payload.length);
        return file;
    }

    @TestFactory
    Stream<DynamicTest> everyFileOfTheMatrixGivesThePixelsOfLibwebp() {
        return MATRIX.keySet().stream()
                .filter(n -> n.endsWith(".webp"))
                .map(n -> DynamicTest.dynamicTest(n, () -> {
                    RgbImage expected =
                            Images.of(ImageIO.read(new ByteArrayInputStream(MATRIX.get(n.replace(".webp", ".png")))));
                    RgbImage image = Images.read(MATRIX.get(n));
                    assertEquals(expected.width(), image.width());
                    assertEquals(expected.height(), image.height());
                    assertArrayEquals(expected.rgb(), image.rgb());
                }));
    }

    @Test
    void everyCutOfAFileIsRefused() {
        for (String name : SAMPLES) {
            byte[] file = sample(name);
            for (int length = 0; length < file.length; length++) {
                byte[] cut = Arrays.copyOf(file, length);
                String text = name + " cut to " + length;
                assertTrue(
                        assertThrows(IOException.class, () -> decode(cut), text)
                                .getMessage()
                                .startsWith("cut WebP image:"),
                        text);
            }
        }
    }

    @Test
    void dataThatEndEarlyInAFileOfRightSizesAreRefusedUnlessNoPixelChanges() throws IOException {
        int refused = 0;
        int same = 0;
        for (String name : List.of(
                "lossy-method-4",
                "lossy-partitions-3",
                "lossless-colours-5-37x22",
                "lossless-near-20",
                "lossless-quality-100-method-6",
                "lossless-noise-16x16-m6")) {
            byte[] whole = MATRIX.get(MATRIX.keySet().stream()
                    .filter(n -> n.startsWith(name.replaceAll("-m\\d$", "")))
                    .filter(n -> n.endsWith(".webp"))
                    .findFirst()
                    .orElseThrow());
            byte[] pixels = decode(whole).rgb();
            for (int length = 0; length < whole.length - 20; length++) {
                byte[] cut = file(
                        new String(whole, 12, 4, java.nio.charset.StandardCharsets.US_ASCII),
                        Arrays.copyOfRange(whole, 20, 20 + length));
                byte[] rgb = decodeOrRefuse(cut, name + " cut to " + length);
                if (rgb == null) {
                    refused++;
                } else {
                    assertArrayEquals(pixels, rgb, name + " cut to " + length);
                    same++;
                }
            }
        }
        // Only the padding behind the last pixel may be missing.
        assertTrue(same < 30 && refused > 3000, same + " accepted, " + refused + " refused");
    }

    @Test
    void damagedFilesAreDecodedOrRefusedInPlainWordsAndQuickly() {
        Random random = new Random(16);
        List<String> names =
                MATRIX.keySet().stream().filter(n -> n.endsWith(".webp")).toList();
        int refused = 0;
        for (int i = 0; i < 10_000; i++) {
            String name = names.get(i % names.size());
            byte[] file = MATRIX.get(name).clone();
            for (int k = random.nextInt(4); k >= 0; k--) {
                int at = random.nextInt(3) == 0
                        ? random.nextInt(Math.min(file.length, 100))
                        : random.nextInt(file.length);
                file[at] = random.nextBoolean() ? (byte) (file[at] ^ 1 << random.nextInt(8)) : (byte) random.nextInt();
            }
            refused += decodeOrRefuse(file, name + ", change " + i) == null ? 1 : 0;
        }
        assertTrue(refused > 2000 && refused < 8000, refused + " refused");
    }

    @Test
    void theFilesThatOnceHungOrWereAcceptedAreRefused() throws IOException {
        for (String name :
                List.of("hang-57-bytes.webp", "slow-1-megapixel-3020-bytes.webp", "cut-at-10-percent-accepted.webp")) {
            byte[] file = resource(name);
            byte[] mended = file.clone();
            putSize(mended, 4, file.length - 8 & ~1);
            putSize(mended, 16, file.length - 21 & ~1);
            for (byte[] f : List.of(file, mended)) {
                assertTimeoutPreemptively(
                        Duration.ofSeconds(2), () -> assertThrows(IOException.class, () -> Images.read(f), name));
            }
        }
    }

    @Test
    void aSizeThatIsNotAcceptedIsRefusedBeforeMemoryIsTaken() {
        // 16383 x 16383 pixels, which is as much as the format allows.
        byte[] lossless = file(
                "VP8L",
                new byte[] {0x2f, (byte) 0xfe, (byte) 0xbf, (byte) 0xff, 0x0f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
        byte[] lossy = file("VP8 ", new byte[] {
            0x50, 1, 0, (byte) 0x9d, 1, 0x2a, (byte) 0xff, 0x3f, (byte) 0xff, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0
        });
        for (byte[] file : List.of(lossless, lossy)) {
            assertEquals(38, file.length);
            assertTimeoutPreemptively(
                    Duration.ofSeconds(1),
                    () -> assertTrue(assertThrows(IOException.class, () -> Images.read(file))
                            .getMessage()
                            .contains("268402689 pixels")));
        }
    }

    @Test
    void aLargeClaimWithoutDataIsNoticedQuickly() {
        // 9999 x 9999 pixels. The first of the codes is missing, or the first row of macroblocks.
        byte[] lossless =
                file("VP8L", new byte[] {0x2f, 0x0e, (byte) 0xa7, (byte) 0xc3, 0x09, (byte) 0xff, (byte) 0xff, 0x55});
        byte[] lossy = file("VP8 ", new byte[] {
            0x50, 1, 0, (byte) 0x9d, 1, 0x2a, 0x0f, 0x27, 0x0f, 0x27, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
        });
        for (byte[] file : List.of(lossless, lossy)) {
            assertTimeoutPreemptively(
                    Duration.ofSeconds(2), () -> assertThrows(IOException.class, () -> Images.read(file)));
        }
    }

    @Test
    void anImageOfOneColourNeedsHardlyAnyDataAndIsDecodedInTime() {
        // Simple codes of one symbol each: green 40, red 30, blue 20, alpha 255, distance 0.
        Bits bits = new Bits();
        bits.put(0x2f, 8).put(2999, 14).put(2999, 14).put(0, 4);
        bits.put(0, 3);
        for (int symbol : new int[] {40, 30, 20, 255, 0}) {
            bits.put(1, 1).put(0, 1).put(1, 1).put(symbol, 8);
        }
        RgbImage image =
                assertTimeoutPreemptively(Duration.ofSeconds(3), () -> Images.read(file("VP8L", bits.bytes())));
        assertEquals(3000, image.width());
        for (int i = 0; i < image.rgb().length; i += 3) {
            assertFalse(image.rgb()[i] != 30 || image.rgb()[i + 1] != 40 || image.rgb()[i + 2] != 20, "pixel " + i / 3);
        }
    }

    @Test
    void moreCodesThanThePixelsCanUseAreRefusedBeforeTheyFillTheMemory() {
        // Each of 65,536 tiles of 4x4 pixels has its own group of codes, and each code 256 symbols of 8 bits.
        Bits bits = new Bits();
        bits.put(0x2f, 8).put(1023, 14).put(1023, 14).put(0, 4);
        bits.put(0, 2).put(1, 1).put(0, 3).put(0, 1);
        for (int i = 0; i < 2; i++) {
            allOfEightBits(bits, i == 0 ? 280 : 256);
        }
        bits.put(1, 1).put(0, 1).put(0, 1).put(0, 1);
        bits.put(1, 1).put(0, 1).put(0, 1).put(0, 1);
        bits.put(1, 1).put(0, 1).put(0, 1).put(0, 1);
        for (int tile = 0; tile < 65_536; tile++) {
            bits.put(Integer.reverse(tile & 255) >>> 24, 8).put(Integer.reverse(tile >> 8) >>> 24, 8);
        }
        for (int group = 0; group < 65_536; group++) {
            for (int i = 0; i < 5; i++) {
                if (i < 4) {
                    allOfEightBits(bits, i == 0 ? 280 : 256);
                } else {
                    bits.put(1, 1).put(0, 1).put(0, 1).put(0, 1);
                }
            }
        }
        assertTimeoutPreemptively(
                Duration.ofSeconds(5),
                () -> assertTrue(assertThrows(IOException.class, () -> decode(file("VP8L", bits.bytes())))
                        .getMessage()
                        .contains("more prefix codes")));
    }

    /** A code whose first 256 symbols have 8 bits each, and the others none. */
    private static void allOfEightBits(Bits bits, int symbols) {
        // Lengths of the lengths' codes, in the order 17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8: only 8 occurs, or 8 and
        // 18.
        bits.put(0, 1).put(8, 4);
        for (int i = 0; i < 12; i++) {
            bits.put(i == 11 || i == 1 && symbols > 256 ? 1 : 0, 3);
        }
        bits.put(0, 1);
        if (symbols > 256) {
            for (int i = 0; i < 256; i++) {
                bits.put(0, 1);
            }
            bits.put(1, 1).put(symbols - 256 - 11, 7);
        }
    }

    /** Writes bits, the lowest first. */
    private static final class Bits {
        private byte[] bytes = new byte[1 << 16];
        private long count;

        Bits put(int value, int bits) {
            for (int i = 0; i < bits; i++, count++) {
                if (count / 8 == bytes.length) {
                    bytes = Arrays.copyOf(bytes, 2 * bytes.length);
                }
                bytes[(int) (count / 8)] |= (byte) ((value >> i & 1) << count % 8);
            }
            return this;
        }

        byte[] bytes() {
            return Arrays.copyOf(bytes, (int) (count + 7 >> 3));
        }
    }
}
