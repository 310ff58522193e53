package io.github.simclr4j.images;

import io.github.simclr4j.util.RegularFiles;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.DirectColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/**
 * Finds and decodes image files: JPEG, PNG, WebP, BMP, GIF and TIFF, of an animation the first frame. The image is turned
 * as its Exif orientation says. Of 16 bits the upper 8 are taken, CMYK becomes {@code (255 - C) * (255 - K) / 255} and so
 * on, what is transparent is laid over black. Colour profiles are not applied. All of it is what Pillow and OpenCV do,
 * but for transparency, which they drop.
 */
public final class Images {
    private static final List<String> ENDINGS =
            List.of(".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff");
    /** An image larger than this is refused before it is decoded. */
    static final long MAX_PIXELS = 100_000_000;
    /** As many pixels of four channels of 16 bits have 800 MB. */
    private static final long MAX_BYTES = 1 << 30;

    private Images() {}

    /**
     * The image files below a folder, however deep, in the order of their paths below it, which is that of texts with slashes and
     * the same on every system. Links are followed. One that leads nowhere, a device or a FIFO is listed, so that whoever
     * reads it notices; what is hidden (a name that begins with a dot) or a Mac's book-keeping is left out.
     *
     * @throws IOException if the folder or one below can't be read, links go round in circles, or a name is in another encoding
     *     than the process has
     */
    public static List<Path> find(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new IOException(folder + " is not a folder: name a folder with images in it");
        }
        List<Path> found;
        try (Stream<Path> files = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
            found = files.filter(f -> isImageName(f.toString()) && !isHidden(folder.relativize(f).toString()))
                    .filter(f -> !Files.isDirectory(f))
                    .sorted(Comparator.comparing(f -> slashes(folder.relativize(f)))).toList();
        } catch (UncheckedIOException e) {
            throw new IOException("Can't look through " + folder + ": " + e.getCause(), e);
        }
        // Java shows a byte that is no character in the locale's encoding so: different names would be alike.
        Optional<Path> strange = found.stream().filter(f -> f.toString().indexOf('\uFFFD') >= 0).findFirst();
        if (strange.isPresent() && !"UTF-8".equals(System.getProperty("sun.jnu.encoding"))) {
            throw new IOException("The name of " + strange.get() + " is in another encoding than this process has ("
                    + System.getProperty("sun.jnu.encoding") + "): set LC_ALL=C.UTF-8");
        }
        return found;
    }

    private static String slashes(Path path) {
        return path.toString().replace(path.getFileSystem().getSeparator(), "/");
    }

    /** Whether a file, or a folder above it in this path, is hidden or a Mac's book-keeping. */
    public static boolean isHidden(String path) {
        for (String part : path.split("[/\\\\]")) {
            if (part.startsWith(".") && !part.equals(".") && !part.equals("..") || part.equals("__MACOSX")) {
                return true;
            }
        }
        return false;
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
        return read(file, (width, height) -> {});
    }

    /** The same, with the image's size told first. */
    public static RgbImage read(Path file, SizeCheck size) throws IOException {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new IOException("file too large: " + Files.size(file) + " bytes, at most " + MAX_BYTES);
            }
            return read(RegularFiles.read(file), size);
        } catch (NoSuchFileException e) {
            throw new IOException(file + ": no such file, or a link that leads nowhere", e);
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
        ImageFormat format = ImageFormat.of(bytes);
        ImageReader reader = format.reader();
        try (ImageInputStream in = new ByteArrayImageInputStream(bytes)) {
            // The JPEG decoder fills what is missing with grey and only warns.
            AtomicReference<String> damage = new AtomicReference<>();
            reader.addIIOReadWarningListener((source, warning) -> {
                if (warning.contains("remature end") || warning.startsWith("Corrupt JPEG")) {
                    damage.compareAndSet(null, warning);
                }
            });
            reader.setInput(in, true, true);
            checkSize((long) reader.getWidth(0) * reader.getHeight(0));
            if (format == ImageFormat.TIFF) {
                // A tile may be larger than the image that it is cut to.
                checkSize((long) reader.getTileWidth(0) * reader.getTileHeight(0));
            }
            size.check(reader.getWidth(0), reader.getHeight(0));
            RgbImage image;
            if (format == ImageFormat.JPEG && ImageFormat.jpegComponents(bytes) == 4) {
                image = adobe(reader.readRaster(0, null), ImageFormat.isYcck(bytes));
            } else {
                image = of(reader.read(0));
            }
            if (damage.get() != null) {
                throw new IOException("damaged image: " + damage.get());
            }
            if (format == ImageFormat.GIF) {
                image = onScreen(image, bytes);
            }
            return turned(image, format.orientation(bytes));
        } catch (RuntimeException e) {
            throw new IOException("damaged image: " + e, e);
        } finally {
            reader.dispose();
        }
    }

    private static void checkSize(long pixels) throws IOException {
        if (pixels > MAX_PIXELS) {
            throw new IOException("image too large: " + pixels + " pixels, at most " + MAX_PIXELS);
        }
    }

    /**
     * Converts an image to RGB bytes; what is transparent is laid over black. The values are taken as they are stored:
     * Java's own conversion would take grey and 16-bit values for linear light and brighten them, and apply profiles.
     *
     * @throws IllegalArgumentException if its values are neither integers nor of a grey, RGB, CMYK or indexed kind
     */
    public static RgbImage of(BufferedImage image) {
        int w = image.getWidth();
        int h = image.getHeight();
        byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(w, h))];
        Raster raster = image.getRaster();
        boolean whole = raster.getDataBuffer() instanceof DataBufferByte b && b.getData().length == rgb.length
                && b.getNumBanks() == 1;
        if (image.getType() == BufferedImage.TYPE_3BYTE_BGR && whole) {
            byte[] bgr = ((DataBufferByte) raster.getDataBuffer()).getData();
            for (int i = 0; i < rgb.length; i += 3) {
                rgb[i] = bgr[i + 2];
                rgb[i + 1] = bgr[i + 1];
                rgb[i + 2] = bgr[i];
            }
            return new RgbImage(w, h, rgb);
        }
        ColorModel model = image.getColorModel();
        if (model instanceof IndexColorModel || model instanceof DirectColorModel) {
            packed(image, rgb);
        } else {
            components(raster, model, rgb);
        }
        return new RgbImage(w, h, rgb);
    }

    private static void packed(BufferedImage image, byte[] rgb) {
        int w = image.getWidth();
        int[] line = new int[w];
        int q = 0;
        for (int y = 0; y < image.getHeight(); y++) {
            image.getRGB(0, y, w, 1, line, 0, w);
            for (int argb : line) {
                int a = argb >>> 24;
                // getRGB has undone a multiplication.
                rgb[q++] = over(argb >> 16 & 255, a);
                rgb[q++] = over(argb >> 8 & 255, a);
                rgb[q++] = over(argb & 255, a);
            }
        }
    }

    /** A value of some opacity on black. */
    private static byte over(int value, int alpha) {
        return (byte) ((value * alpha + 127) / 255);
    }

    private static void components(Raster raster, ColorModel model, byte[] rgb) {
        int type = model.getTransferType();
        int space = model.getColorSpace().getType();
        boolean alpha = model.hasAlpha();
        int colours = model.getNumColorComponents();
        boolean known = space == ColorSpace.TYPE_GRAY && colours == 1 || space == ColorSpace.TYPE_RGB && colours == 3
                || space == ColorSpace.TYPE_CMYK && colours == 4;
        if (!known || type != DataBuffer.TYPE_BYTE && type != DataBuffer.TYPE_USHORT) {
            throw new IllegalArgumentException(
                    "expected 8 or 16 bits of grey, RGB or CMYK, found " + colours + " components of " + model);
        }
        int bands = raster.getNumBands();
        int[] bits = model.getComponentSize();
        boolean multiply = alpha && !model.isAlphaPremultiplied();
        int[] line = new int[raster.getWidth() * bands];
        int q = 0;
        for (int y = 0; y < raster.getHeight(); y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, raster.getWidth(), 1, line);
            for (int p = 0; p < line.length; p += bands) {
                int opacity = multiply ? eight(line[p + colours], bits[colours]) : 255;
                if (colours == 4) {
                    int k = 255 - eight(line[p + 3], bits[3]);
                    for (int c = 0; c < 3; c++) {
                        rgb[q++] = over(over(255 - eight(line[p + c], bits[c]), k) & 255, opacity);
                    }
                } else {
                    for (int c = 0; c < 3; c++) {
                        int band = colours == 1 ? 0 : c;
                        rgb[q++] = over(eight(line[p + band], bits[band]), opacity);
                    }
                }
            }
        }
    }

    private static int eight(int value, int bits) {
        return bits == 8 ? value : bits > 8 ? value >>> bits - 8 : value * 255 / ((1 << bits) - 1);
    }

    /** Four components of a JPEG file, which by Adobe's convention hold 255 minus the ink. */
    private static RgbImage adobe(Raster raster, boolean ycck) {
        int w = raster.getWidth();
        int h = raster.getHeight();
        byte[] rgb = new byte[3 * w * h];
        int[] line = new int[4 * w];
        int q = 0;
        for (int y = 0; y < h; y++) {
            raster.getPixels(0, y, w, 1, line);
            for (int p = 0; p < line.length; p += 4) {
                int k = line[p + 3];
                if (ycck) {
                    // JFIF's YCbCr, then the complement that libjpeg takes for ink.
                    double cb = line[p + 1] - 128;
                    double cr = line[p + 2] - 128;
                    int luma = line[p];
                    line[p] = 255 - clamp(luma + 1.402 * cr);
                    line[p + 1] = 255 - clamp(luma - 0.344136286 * cb - 0.714136286 * cr);
                    line[p + 2] = 255 - clamp(luma + 1.772 * cb);
                }
                for (int c = 0; c < 3; c++) {
                    rgb[q++] = over(line[p + c], k);
                }
            }
        }
        return new RgbImage(w, h, rgb);
    }

    private static int clamp(double v) {
        return (int) Math.max(0, Math.min(255, Math.round(v)));
    }

    /** Puts the first frame of a GIF file where it belongs on its screen (GIF89a, sections 18 and 20), on black. */
    private static RgbImage onScreen(RgbImage frame, byte[] gif) throws IOException {
        ByteBuffer in = ByteBuffer.wrap(gif).order(ByteOrder.LITTLE_ENDIAN);
        int width = in.getShort(6) & 0xffff;
        int height = in.getShort(8) & 0xffff;
        if (width == frame.width() && height == frame.height() || width == 0 || height == 0) {
            return frame;
        }
        int at = 13 + ((gif[10] & 0x80) != 0 ? 3 << (gif[10] & 7) + 1 : 0);
        while (gif[at] == 0x21) {
            // An extension: its label, then blocks until an empty one.
            for (at += 2; gif[at] != 0; at += 1 + (gif[at] & 255)) { }
            at++;
        }
        int left = in.getShort(at + 1) & 0xffff;
        int top = in.getShort(at + 3) & 0xffff;
        checkSize((long) width * height);
        byte[] screen = new byte[3 * width * height];
        int columns = Math.min(frame.width(), width - left);
        for (int y = 0; y < Math.min(frame.height(), height - top) && columns > 0; y++) {
            System.arraycopy(frame.rgb(), 3 * y * frame.width(), screen, 3 * ((top + y) * width + left), 3 * columns);
        }
        return new RgbImage(width, height, screen);
    }

    /** Turns an image as its Exif orientation says (CIPA DC-008, section 4.6.4). */
    static RgbImage turned(RgbImage image, int orientation) {
        if (orientation == 1) {
            return image;
        }
        int w = image.width();
        int h = image.height();
        boolean sideways = orientation >= 5;
        int width = sideways ? h : w;
        int height = sideways ? w : h;
        // From which column and row of the stored image a pixel comes.
        boolean right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
        boolean bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
        byte[] in = image.rgb();
        byte[] out = new byte[in.length];
        int q = 0;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int column = sideways ? y : x;
                int row = sideways ? x : y;
                int p = 3 * ((bottom ? h - 1 - row : row) * w + (right ? w - 1 - column : column));
                out[q++] = in[p];
                out[q++] = in[p + 1];
                out[q++] = in[p + 2];
            }
        }
        return new RgbImage(width, height, out);
    }
}
