// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.RgbImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Reads the files that tiff_matrix.py and tiff_cases.py in src/test/python made. */
class TiffDecoderTest {
    private static final String MATRIX = "/matrix/tiff.zip";

    private static Map<String, byte[]> archive(String name) throws IOException {
        Map<String, byte[]> members = new TreeMap<>();
        try (ZipInputStream zip = new ZipInputStream(TiffDecoderTest.class.getResourceAsStream(name))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                members.put(entry.getName(), zip.readAllBytes());
            }
        }
        return members;
    }

    @ParameterizedTest
    @ValueSource(strings = {MATRIX, "/tiff/cases.zip"})
    void everyFileIsRightOrRefusedByName(String name) throws IOException {
        Map<String, byte[]> members = archive(name);
        List<String> wrong = new ArrayList<>();
        int right = 0;
        for (String file :
                members.keySet().stream().filter(f -> f.endsWith(".tif")).toList()) {
            String stem = file.substring(0, file.length() - 4);
            String fault = fault(members.get(file), members.get(stem + ".rgb"), members.get(stem + ".refused"));
            if (fault == null) {
                right++;
            } else {
                wrong.add(file + ": " + fault);
            }
        }
        assertEquals(List.of(), wrong);
        assertEquals(members.size() / 2, right);
        assertTrue(right > 15, right + " files");
    }

    private static String fault(byte[] file, byte[] pixels, byte[] refusal) {
        try {
            RgbImage image = Images.read(file);
            ByteBuffer found = ByteBuffer.allocate(8 + image.rgb().length)
                    .putInt(image.width())
                    .putInt(image.height())
                    .put(image.rgb());
            return pixels == null ? "was read" : Arrays.equals(pixels, found.array()) ? null : "has other pixels";
        } catch (IOException e) {
            boolean expected = refusal != null
                    && Pattern.compile(new String(refusal, StandardCharsets.UTF_8))
                            .matcher(e.getMessage())
                            .find();
            return expected ? null : e.getMessage();
        }
    }

    @Test
    void aCutFileIsRefusedUnlessItsPixelsAreWhole() throws IOException {
        Random random = new Random(3);
        Map<String, byte[]> members = archive(MATRIX);
        int refused = 0;
        for (String name :
                members.keySet().stream().filter(f -> f.endsWith(".rgb")).toList()) {
            byte[] file = members.get(name.replace(".rgb", ".tif"));
            byte[] whole = members.get(name);
            for (int i = 0; i < 8; i++) {
                int length = random.nextInt(file.length);
                try {
                    byte[] rgb = Images.read(Arrays.copyOf(file, length)).rgb();
                    assertArrayEquals(
                            Arrays.copyOfRange(whole, 8, whole.length), rgb, name + " of " + length + " bytes");
                } catch (IOException e) {
                    assertPlain(e);
                    refused++;
                }
            }
        }
        assertTrue(refused > 4000, refused + " refused");
    }

    @Test
    void aDamagedFileGivesAnImageOrAPlainMessage() throws IOException {
        Random random = new Random(4);
        int refused = 0;
        Map<String, byte[]> members = archive(MATRIX);
        for (String name :
                members.keySet().stream().filter(f -> f.endsWith(".tif")).toList()) {
            for (int i = 0; i < 8; i++) {
                byte[] damaged = members.get(name).clone();
                for (int k = 0; k <= i % 3; k++) {
                    damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
                }
                try {
                    Images.read(damaged, (w, h) -> {
                        if ((long) w * h > 5_000_000) {
                            throw new IOException("larger than the test wants");
                        }
                    });
                } catch (IOException e) {
                    assertPlain(e);
                    refused++;
                }
            }
        }
        assertTrue(refused > 1000, refused + " refused");
    }

    private static void assertPlain(IOException e) {
        assertFalse(
                e.getMessage() == null
                        || e.getMessage().contains("Exception")
                        || e.getMessage().contains("java."),
                e::toString);
    }

    @Test
    void theSizeOfATileLargerThanTheImageIsToldFirst() throws IOException {
        byte[] file = archive(MATRIX).get("rgb-08-none-tiles-16x32.tif");
        int[] told = new int[2];
        new TiffDecoder().decode(file, (w, h) -> {
            told[0] = w;
            told[1] = h;
        });
        assertArrayEquals(new int[] {16, 32}, told);
        IOException e = assertThrows(
                IOException.class,
                () -> new TiffDecoder().decode(file, (w, h) -> {
                    throw new IOException("no room");
                }));
        assertEquals("no room", e.getMessage());
    }

    /** Every strip is a row and has the same data, which say nothing for a long time. */
    @Test
    void stripsThatOverlapTakeNoLongerThanTheImageDoes() {
        int rows = 60_000;
        int data = 200 + 8 * rows;
        ByteBuffer b = header(4, rows, 32773, 1, 1, rows, data + 500_000);
        b.position(200);
        for (int i = 0; i < rows; i++) {
            b.putInt(data).putInt(200 + 4 * i, data);
        }
        for (int i = 0; i < rows; i++) {
            b.putInt(200 + 4 * (rows + i), 500_000);
        }
        Arrays.fill(b.array(), data, b.capacity() - 2, (byte) 0x80);
        IOException e = assertTimeout(
                Duration.ofSeconds(5), () -> assertThrows(IOException.class, () -> Images.read(b.array())));
        assertTrue(e.getMessage().contains("not complete"), e.getMessage());
        b.put(data, new byte[] {-3, 1});
        assertTimeout(
                Duration.ofSeconds(5),
                () -> assertEquals(60_000, Images.read(b.array()).height()));
    }

    @Test
    void moreStripsThanAnImageNeedsAreRefused() {
        ByteBuffer b = header(1, 200_001, 1, 1, 1, 200_001, 200 + 8 * 200_001);
        IOException e = assertThrows(IOException.class, () -> Images.read(b.array()));
        assertTrue(e.getMessage().contains("200001 strips or tiles (at most 200000)"), e.getMessage());
    }

    /** A billion samples for each pixel of a file of 300 bytes. */
    @Test
    void claimedSamplesAreRefusedBeforeMemoryIsTaken() {
        ByteBuffer b = header(1000, 1000, 1, 1 << 30, 1000, 1, 300);
        IOException e = assertThrows(IOException.class, () -> Images.read(b.array()));
        assertTrue(e.getMessage().contains("of which only 1 are described"), e.getMessage());
    }

    /** A gradient of 4000x2000 pixels in one Deflate strip. */
    @Test
    void aLargeStripIsRead() throws IOException {
        int w = 4000;
        int h = 2000;
        byte[] rows = new byte[w * h];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = (byte) (i % w / 16 + i / w);
        }
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (DeflaterOutputStream out = new DeflaterOutputStream(packed)) {
            out.write(rows);
        }
        ByteBuffer b = header(w, h, 8, 1, h, 1, 200 + packed.size());
        b.position(200);
        b.put(packed.toByteArray());
        byte[] rgb = Images.read(b.array()).rgb();
        for (int i = 0; i < rows.length; i++) {
            if (rgb[3 * i] != rows[i] || rgb[3 * i + 2] != rows[i]) {
                assertEquals(rows[i], rgb[3 * i], "pixel " + i);
            }
        }
    }

    /** A little-endian file of 8-bit grey: the header and the directory, and room until {@code length}. */
    private static ByteBuffer header(
            int width, int height, int compression, int samples, int rows, int strips, int length) {
        int[][] fields = {
            {256, width},
            {257, height},
            {258, 8},
            {259, compression},
            {262, 1},
            {273, 200},
            {277, samples},
            {278, rows},
            {279, strips == 1 ? length - 200 : 200 + 4 * strips}
        };
        ByteBuffer b = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        b.put((byte) 'I').put((byte) 'I').putShort((short) 42).putInt(8).putShort((short) fields.length);
        for (int[] f : fields) {
            boolean array = f[0] == 273 || f[0] == 279;
            b.putShort((short) f[0])
                    .putShort((short) 4)
                    .putInt(array ? strips : 1)
                    .putInt(f[1]);
        }
        return b;
    }
}
