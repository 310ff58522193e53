package io.github.simclr4j.images;

import io.github.simclr4j.images.internal.DecodingHeap;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Finds and decodes image files: JPEG, PNG, WebP, BMP, GIF and TIFF, of an animation the first frame. The image is turned
 * as its Exif orientation says. Of 16 bits the upper 8 are taken, CMYK becomes {@code (255 - C) * (255 - K) / 255} and so
 * on, what is transparent is laid over black. Colour profiles are not applied. All of it is what Pillow and OpenCV do,
 * but for transparency, which they drop.
 */
public final class Images {
    /** The largest image that is read has 800 MB in four channels of 16 bits. */
    private static final long MAX_BYTES = 1 << 30;

    private Images() {}

    /**
     * The image files below a folder, however deep, in the order of their paths below it, which is that of texts with slashes and
     * the same on every system. Links are followed, and one that leads nowhere is listed, so that whoever reads it notices; what is
     * hidden (a name that begins with a dot) or a Mac's book-keeping is left out.
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
                    .filter(f -> Files.isRegularFile(f) || Files.isSymbolicLink(f) && !Files.exists(f))
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
        return Decoders.endings().stream().anyMatch(lower::endsWith);
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
        try (DecodingHeap.Lease heap = DecodingHeap.enter()) {
            if (Files.size(file) > MAX_BYTES) {
                throw new IOException("file too large: " + Files.size(file) + " bytes, at most " + MAX_BYTES);
            }
            heap.takeFile(Files.size(file));
            return read(Files.readAllBytes(file), size);
        } catch (OutOfMemoryError e) {
            throw new IOException(file + ": its bytes do not fit into the heap: give Java more (-Xmx)", e);
        } catch (NoSuchFileException e) {
            throw new IOException(file + ": no such file, or a link that leads nowhere", e);
        } catch (AccessDeniedException e) {
            throw new IOException(file + ": no permission to read it", e);
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
     * Decodes the bytes of a file. Threads that decode large images at the same time wait for each other.
     *
     * @param size told the image's size first
     * @throws IOException if they are no whole image, the heap is too small for it, or {@code size} throws it
     */
    public static RgbImage read(byte[] bytes, SizeCheck size) throws IOException {
        return Decoding.decode(Decoders.of(bytes), bytes, size);
    }

    /**
     * Converts an image to RGB bytes; what is transparent is laid over black. The values are taken as they are stored:
     * Java's own conversion would take grey and 16-bit values for linear light and brighten them, and apply profiles.
     *
     * @throws IllegalArgumentException if its values are neither integers nor of a grey, RGB, CMYK or indexed kind
     */
    public static RgbImage of(BufferedImage image) {
        return BufferedImages.toRgb(image);
    }
}
