package io.github.simclr4j.onnx;

import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/** Finds and decodes image files: JPEG, PNG, BMP and GIF (its first frame), grey or with alpha (over black). */
public final class Images {
    private static final List<String> ENDINGS = List.of(".jpg", ".jpeg", ".png", ".bmp", ".gif");
    /** An image larger than this is refused before it is decoded. */
    private static final long MAX_PIXELS = 100_000_000;

    static {
        ImageIO.setUseCache(false);
    }

    private Images() {}

    /**
     * The image files below a folder, however deep, in the order of their paths.
     *
     * @throws IOException if the folder can't be read
     */
    public static List<Path> find(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new IOException(folder + " is not a folder: name a folder with images in it");
        }
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile).filter(f -> isImageName(f.toString())).sorted().toList();
        }
    }

    /** Whether a file's name ends as that of an image. */
    public static boolean isImageName(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return ENDINGS.stream().anyMatch(lower::endsWith);
    }

    /** Told the size of an image before its pixels are decoded; what it throws ends the reading. */
    @FunctionalInterface
    public interface SizeCheck {
        /**
         * May wait, or refuse the image.
         *
         * @param width width in pixels
         * @param height height in pixels
         * @throws IOException if the image should not be decoded
         */
        void check(int width, int height) throws IOException;
    }

    /**
     * Decodes a file.
     *
     * @throws IOException if it can't be read or is no whole image; the message names the file
     */
    public static RgbImage read(Path file) throws IOException {
        try {
            return read(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new IOException(file + ": " + (e.getMessage() == null ? e.toString() : e.getMessage()), e);
        }
    }

    /**
     * Decodes the bytes of a file.
     *
     * @throws IOException if they are no whole image
     */
    public static RgbImage read(byte[] bytes) throws IOException {
        return read(bytes, (width, height) -> {});
    }

    /**
     * Decodes the bytes of a file.
     *
     * @param size told the image's size first
     * @throws IOException if they are no whole image, or {@code size} throws it
     */
    public static RgbImage read(byte[] bytes, SizeCheck size) throws IOException {
        try (ImageInputStream in = ImageIO.createImageInputStream(new ByteArrayInputStream(bytes))) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
            if (!readers.hasNext()) {
                throw new IOException("not an image (expected JPEG, PNG, BMP or GIF)");
            }
            ImageReader reader = readers.next();
            try {
                // The JPEG decoder fills what is missing with grey and only warns.
                AtomicReference<String> damage = new AtomicReference<>();
                reader.addIIOReadWarningListener((source, warning) -> {
                    if (warning.contains("remature end") || warning.startsWith("Corrupt JPEG")) {
                        damage.compareAndSet(null, warning);
                    }
                });
                reader.setInput(in, true, true);
                long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
                if (pixels > MAX_PIXELS) {
                    throw new IOException("image too large: " + pixels + " pixels, at most " + MAX_PIXELS);
                }
                size.check(reader.getWidth(0), reader.getHeight(0));
                RgbImage image = of(reader.read(0));
                if (damage.get() != null) {
                    throw new IOException("damaged image: " + damage.get());
                }
                return image;
            } finally {
                reader.dispose();
            }
        } catch (RuntimeException e) {
            throw new IOException("damaged image: " + e, e);
        }
    }

    /** Converts an image to RGB bytes; what is transparent becomes black. */
    public static RgbImage of(BufferedImage image) {
        int w = image.getWidth();
        int h = image.getHeight();
        BufferedImage source = image;
        if (image.getColorModel().hasAlpha()) {
            source = new BufferedImage(w, h, BufferedImage.TYPE_INT_RGB);
            Graphics2D g = source.createGraphics();
            g.drawImage(image, 0, 0, null);
            g.dispose();
        }
        byte[] rgb = new byte[w * h * 3];
        if (source.getType() == BufferedImage.TYPE_BYTE_GRAY) {
            // getRGB would take the values for linear light and brighten them.
            byte[] grey = (byte[]) source.getRaster().getDataElements(0, 0, w, h, null);
            for (int i = 0; i < grey.length; i++) {
                rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = grey[i];
            }
            return new RgbImage(w, h, rgb);
        }
        int[] argb = source.getRGB(0, 0, w, h, null, 0, w);
        for (int i = 0; i < argb.length; i++) {
            rgb[3 * i] = (byte) (argb[i] >> 16);
            rgb[3 * i + 1] = (byte) (argb[i] >> 8);
            rgb[3 * i + 2] = (byte) argb[i];
        }
        return new RgbImage(w, h, rgb);
    }
}
