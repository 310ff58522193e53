package io.github.simclr4j.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
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
        assertEquals(List.of(dir.resolve("a.jpeg"), dir.resolve("b/1.gif"), dir.resolve("b/c/2.PNG")), Images.find(dir));
        assertThrows(IOException.class, () -> Images.find(dir.resolve("missing")));
    }

    @Test
    void resizingKeepsAFlatImageAndAveragesWhenItShrinks() {
        byte[] flat = new byte[3 * 50 * 40];
        Arrays.fill(flat, (byte) 90);
        for (int size : List.of(8, 40, 64)) {
            for (byte b : new Preprocessing(size).apply(new RgbImage(50, 40, flat)).rgb()) {
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
}
