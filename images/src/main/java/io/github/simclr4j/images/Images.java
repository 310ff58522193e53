package io.github.simclr4j.images;

import io.github.simclr4j.images.internal.DecodingHeap;
import io.github.simclr4j.util.RegularFiles;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

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
     * Returns the image files below a folder, as {@link ImageFolder#scan} finds them.
     *
     * @throws IOException if the folder or one below can't be read, or links go round in circles
     */
    public static List<Path> find(Path folder) throws IOException {
        return ImageFolder.scan(folder).images().stream().map(ImageFolder.Image::file).toList();
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
            return read(RegularFiles.read(file), size);
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
