// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

class ImagesTest {
    private static BufferedImage picture(int type) {
        BufferedImage image = new BufferedImage(40, 30, type);
        Graphics2D g = image.createGraphics();
        g.setColor(new Color(200, 100, 50));
        g.fillRect(0, 0, 40, 30);
        g.setColor(Color.WHITE);
        g.fillOval(5, 5, 20, 20);
        g.dispose();
        return image;
    }

    private static byte[] encode(BufferedImage image, String format) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertTrue(ImageIO.write(image, format, out));
        return out.toByteArray();
    }

    /** A killed process would leave a temporary file of Java's behind. */
    @Test
    void anImageIsEncodedWithoutATemporaryFile(@TempDir Path dir) throws IOException {
        BufferedImage image = picture(BufferedImage.TYPE_INT_RGB);
        byte[] expected = encode(image, "png");
        File cache = ImageIO.getCacheDirectory();
        ImageIO.setCacheDirectory(dir.toFile());
        try {
            Files.delete(dir);
            assertArrayEquals(expected, Images.encode(image, "png"));
        } finally {
            ImageIO.setCacheDirectory(cache);
            Files.createDirectory(dir);
        }
    }

    @Test
    void everyFormatGivesThePixels() throws IOException {
        for (String format : List.of("png", "bmp", "jpg", "gif")) {
            RgbImage image = Images.read(encode(picture(BufferedImage.TYPE_INT_RGB), format));
            assertEquals(40, image.width());
            assertEquals(30, image.height());
            int corner = 3 * (29 * 40 + 39);
            int slack = format.equals("png") || format.equals("bmp") ? 0 : 12;
            assertEquals(200, image.rgb()[corner] & 255, slack, format);
            assertEquals(100, image.rgb()[corner + 1] & 255, slack, format);
            assertEquals(50, image.rgb()[corner + 2] & 255, slack, format);
        }
    }

    @Test
    void greyKeepsItsValuesAndAlphaBecomesBlack() throws IOException {
        BufferedImage grey = new BufferedImage(8, 8, BufferedImage.TYPE_BYTE_GRAY);
        grey.getRaster().setSample(3, 2, 0, 77);
        byte[] rgb = Images.read(encode(grey, "png")).rgb();
        int at = 3 * (2 * 8 + 3);
        assertArrayEquals(new byte[] {77, 77, 77}, Arrays.copyOfRange(rgb, at, at + 3));

        BufferedImage clear = new BufferedImage(8, 8, BufferedImage.TYPE_INT_ARGB);
        clear.setRGB(1, 0, 0xff102030);
        clear.setRGB(2, 0, 0x00ffffff);
        byte[] flat = Images.read(encode(clear, "png")).rgb();
        assertArrayEquals(new byte[] {0x10, 0x20, 0x30, 0, 0, 0}, Arrays.copyOfRange(flat, 3, 9));
    }

    @Test
    void aTruncatedFileIsNamed(@TempDir Path dir) throws IOException {
        for (String format : List.of("jpg", "png", "bmp")) {
            byte[] whole = encode(picture(BufferedImage.TYPE_INT_RGB), format);
            Path cut = Files.write(dir.resolve("cut." + format), Arrays.copyOf(whole, whole.length * 2 / 3));
            IOException e = assertThrows(IOException.class, () -> Images.read(cut), format);
            assertTrue(e.getMessage().contains("cut." + format), e.getMessage());
        }
        Path text = Files.writeString(dir.resolve("text.jpg"), "hello");
        assertThrows(IOException.class, () -> Images.read(text));
    }

    @Test
    void findsImagesAtAnyDepthInOrder(@TempDir Path dir) throws IOException {
        Files.createDirectories(dir.resolve("b/c"));
        for (String f : List.of("b/c/2.PNG", "a.jpeg", "b/1.gif", "notes.txt")) {
            Files.write(dir.resolve(f), new byte[1]);
        }
        assertEquals(
                List.of(dir.resolve("a.jpeg"), dir.resolve("b/1.gif"), dir.resolve("b/c/2.PNG")), Images.find(dir));
        assertThrows(IOException.class, () -> Images.find(dir.resolve("missing")));
        // As texts and not by their bytes, in which the wide letter comes first: every system has the order of an
        // archive.
        try (FileSystem zip = FileSystems.newFileSystem(dir.resolve("order.zip"), Map.of("create", "true"))) {
            List<String> names = List.of("B.png", "a.png", "a/b.png", "a0.png", "\ud83d\ude00.png", "\uff21.png");
            Files.createDirectory(zip.getPath("a"));
            for (String name : names) {
                Files.write(zip.getPath(name), new byte[] {1});
            }
            assertEquals(
                    names,
                    Images.find(zip.getPath("/")).stream()
                            .map(f -> f.toString().substring(1))
                            .toList());
        }
    }

    @Test
    void linksAreFollowedAndWhatIsHiddenIsLeftOut(@TempDir Path dir) throws IOException {
        Path real = Files.createDirectories(dir.resolve("elsewhere/cats"));
        Files.createFile(real.resolve("tom.png"));
        Path set = Files.createDirectories(dir.resolve(".data/train"));
        Files.createSymbolicLink(set.resolve("cat"), real);
        Files.createSymbolicLink(dir.resolve("link"), set);
        for (String hidden : List.of(".thumbnails/a.png", "__MACOSX/cat/._a.jpg", "dog/.hidden.png", "dog/rex.png")) {
            Files.createDirectories(set.resolve(hidden).getParent());
            Files.createFile(set.resolve(hidden));
        }
        // The folder itself may lie below a hidden one.
        assertEquals(List.of(set.resolve("cat/tom.png"), set.resolve("dog/rex.png")), Images.find(set));
        Path link = dir.resolve("link");
        assertEquals(List.of(link.resolve("cat/tom.png"), link.resolve("dog/rex.png")), Images.find(link));
        Files.createSymbolicLink(real.resolve("round"), dir.resolve("elsewhere"));
        IOException e = assertThrows(IOException.class, () -> Images.find(set));
        assertTrue(e.getMessage().contains("round"), e.getMessage());
    }

    @Test
    void resizingKeepsAFlatImageAndAveragesWhenItShrinks() {
        byte[] flat = new byte[3 * 50 * 40];
        Arrays.fill(flat, (byte) 90);
        for (int size : List.of(8, 40, 64)) {
            for (byte b :
                    new Preprocessing(size).apply(new RgbImage(50, 40, flat)).rgb()) {
                assertEquals(90, b);
            }
        }
        // Columns 0, 255, 0, 255, …: shrunk by 4 each output is near the mean.
        byte[] stripes = new byte[3 * 32 * 32];
        for (int i = 0; i < stripes.length; i++) {
            stripes[i] = (byte) (i / 3 % 2 == 0 ? 0 : 255);
        }
        for (byte b : new Preprocessing(8).apply(new RgbImage(32, 32, stripes)).rgb()) {
            assertEquals(127.5, b & 255, 20);
        }
    }

    private static byte[] resource(String name) throws IOException {
        try (var in = ImagesTest.class.getResourceAsStream("/images/" + name)) {
            return in.readAllBytes();
        }
    }

    private static int largest(byte[] expected, byte[] found) {
        assertEquals(expected.length, found.length);
        int most = 0;
        for (int i = 0; i < found.length; i++) {
            most = Math.max(most, Math.abs((expected[i] & 255) - (found[i] & 255)));
        }
        return most;
    }

    /** The images and what Pillow reads from them: see make.py beside them. */
    @TestFactory
    Stream<DynamicTest> everyKindOfFileGivesPillowsPixels() throws IOException {
        return new String(resource("expected.txt"), StandardCharsets.US_ASCII)
                .lines()
                .map(line -> {
                    String[] f = line.split(" ");
                    return DynamicTest.dynamicTest(f[0], () -> {
                        RgbImage image = Images.read(resource(f[0]));
                        assertEquals(f[1] + "x" + f[2], image.width() + "x" + image.height());
                        int most = largest(HexFormat.of().parseHex(f[4]), image.rgb());
                        assertTrue(most <= Integer.parseInt(f[3]), "differs by " + most);
                    });
                });
    }

    @Test
    void resizingGivesPillowsPixels() throws IOException {
        for (String line : new String(resource("resize.txt"), StandardCharsets.US_ASCII)
                .lines()
                .toList()) {
            String[] f = line.split(" ");
            RgbImage image = Images.read(resource(f[0]));
            int side = Integer.parseInt(f[1]);
            byte[] expected = HexFormat.of().parseHex(f[2]);
            Preprocessing foreign = new Preprocessing(
                    side,
                    side,
                    Preprocessing.Resize.CENTER_SQUARE,
                    0,
                    Preprocessing.Interpolation.BILINEAR,
                    Preprocessing.Channels.RGB,
                    Preprocessing.Scaling.UNIT);
            assertArrayEquals(expected, foreign.apply(image).rgb(), f[0] + " to " + side);
            // What encoders of this library were trained with rounds only at the end.
            int most = largest(expected, new Preprocessing(side).apply(image).rgb());
            assertTrue(most <= 1, f[0] + " to " + side + " differs by " + most);
        }
    }

    /** A cut file of any kind is an error, not an image with a grey rest. */
    @Test
    void everyCutFileIsAnError() throws IOException {
        for (String line : new String(resource("expected.txt"), StandardCharsets.US_ASCII)
                .lines()
                .toList()) {
            String name = line.split(" ")[0];
            byte[] whole = resource(name);
            assertThrows(IOException.class, () -> Images.read(Arrays.copyOf(whole, whole.length / 2)), name);
            assertThrows(IOException.class, () -> Images.read(Arrays.copyOf(whole, 20)), name);
        }
    }

    @Test
    void anImageOfTooManyPixelsIsRefusedBeforeItIsDecoded() throws IOException {
        byte[] png = resource("rgb.png");
        java.nio.ByteBuffer.wrap(png).putInt(16, 20_000).putInt(20, 20_000);
        // The header's checksum must fit, or the file is refused for that.
        java.util.zip.CRC32 crc = new java.util.zip.CRC32();
        crc.update(png, 12, 17);
        java.nio.ByteBuffer.wrap(png).putInt(29, (int) crc.getValue());
        byte[] gif = resource("palette.gif");
        int frame = new String(gif, StandardCharsets.ISO_8859_1).indexOf(",\0\0\0\0");
        gif[frame + 6] = gif[frame + 8] = (byte) 0xf0;
        for (byte[] bomb : List.of(png, gif)) {
            IOException e = assertThrows(IOException.class, () -> Images.read(bomb));
            assertTrue(e.getMessage().contains("too large"), e.getMessage());
        }
    }

    @Test
    void theSizeIsToldBeforeDecoding() throws IOException {
        int[] told = new int[2];
        Images.read(resource("rgb.png"), (w, h) -> {
            told[0] = w;
            told[1] = h;
        });
        assertArrayEquals(new int[] {11, 7}, told);
        IOException e = assertThrows(
                IOException.class,
                () -> Images.read(resource("rgb.png"), (w, h) -> {
                    throw new IOException("no room");
                }));
        assertEquals("no room", e.getMessage());
    }

    /** Whatever stands in a file, reading it gives an image or an IOException. */
    @Test
    void mutatedFilesGiveAnImageOrAnError() throws IOException {
        java.util.Random random = new java.util.Random(1);
        int errors = 0;
        for (String line : new String(resource("expected.txt"), StandardCharsets.US_ASCII)
                .lines()
                .toList()) {
            byte[] whole = resource(line.split(" ")[0]);
            for (int i = 0; i < 10; i++) {
                byte[] mutated = whole.clone();
                for (int j = 0; j <= random.nextInt(3); j++) {
                    mutated[random.nextInt(mutated.length)] = (byte) random.nextInt();
                }
                try {
                    Images.read(mutated, (w, h) -> {
                        if ((long) w * h > 1_000_000) {
                            throw new IOException("larger than the test wants");
                        }
                    });
                } catch (IOException e) {
                    errors++;
                }
            }
        }
        assertTrue(errors > 30, errors + " errors");
    }

    @Test
    void aFileElsewhereIsReadUnlessItIsTooLarge() throws IOException {
        byte[] file = encode(picture(BufferedImage.TYPE_INT_RGB), "png");
        for (long length : new long[] {file.length, -1}) {
            assertArrayEquals(
                    Images.read(file).rgb(),
                    Images.read(length, () -> file, (width, height) -> {}).rgb());
        }
        IOException large = assertThrows(
                IOException.class,
                () -> Images.read(
                        (256L << 20) + 1,
                        () -> {
                            throw new AssertionError("the file is not read");
                        },
                        (width, height) -> {}));
        assertTrue(large.getMessage().startsWith("too large for an image file: 268435457 bytes"), large.getMessage());
        assertThrows(
                IOException.class,
                () -> Images.read(
                        5,
                        () -> {
                            throw new OutOfMemoryError("the test's own");
                        },
                        (width, height) -> {}));
    }

    /** Many threads read files of 100 MB, as a task of Spark does: together they take at most a quarter of the heap. */
    @Test
    void largeFilesElsewhereWaitForEachOther() throws Exception {
        byte[] file = encode(picture(BufferedImage.TYPE_INT_RGB), "png");
        long length = Math.min(100L << 20, Runtime.getRuntime().maxMemory() / 2);
        int room = (int) Math.max(1, Runtime.getRuntime().maxMemory() / 4 / length);
        AtomicInteger reading = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        ExecutorService threads = Executors.newFixedThreadPool(room + 3);
        try {
            List<Callable<RgbImage>> tasks = Collections.nCopies(
                    room + 3,
                    () -> Images.read(
                            length,
                            () -> {
                                most.accumulateAndGet(reading.incrementAndGet(), Math::max);
                                LockSupport.parkNanos(50_000_000);
                                reading.decrementAndGet();
                                return file;
                            },
                            (width, height) -> {}));
            for (Future<RgbImage> image : threads.invokeAll(tasks)) {
                assertEquals(40, image.get().width());
            }
        } finally {
            threads.shutdown();
        }
        assertTrue(most.get() <= room, most + " files at once, with room for " + room);
    }

    @Test
    void theEndingsOfImagesAreThoseThatAreRecognised() {
        List<String> endings = ImageNames.endings();
        assertTrue(
                endings.containsAll(List.of("apng", "bmp", "dib", "gif", "jfif", "jpe", "jpeg", "jpg", "png", "webp")));
        for (String ending : endings) {
            assertTrue(ImageNames.isImageName("a." + ending), ending);
            assertEquals(ending.toLowerCase(java.util.Locale.ROOT), ending);
        }
        assertEquals(endings.stream().sorted().toList(), endings);
    }
}
