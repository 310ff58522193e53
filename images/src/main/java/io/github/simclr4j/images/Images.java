// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images;

import io.github.simclr4j.images.internal.DecodingHeap;
import io.github.simclr4j.images.internal.ImageFileSize;
import io.github.simclr4j.util.RegularFiles;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/**
 * Finds and decodes image files: JPEG, PNG, WebP, BMP, GIF and TIFF.
 *
 * <ul>
 *   <li>Of an animation only the first frame is decoded.
 *   <li>The Exif orientation is applied.
 *   <li>16-bit values are reduced to their upper 8 bits.
 *   <li>CMYK is converted by {@code (255 - C) * (255 - K) / 255} and so on.
 *   <li>Transparent pixels are blended with black.
 *   <li>Colour profiles are not applied.
 * </ul>
 *
 * <p>The results equal those of Pillow and OpenCV, except that these drop transparency.
 *
 * @since 0.1.0
 */
public final class Images {
    /** Maximum size of a file. The largest supported image has 800 MB, with four channels of 16 bits. */
    private static final long MAX_BYTES = 1 << 30;

    private Images() {}

    /**
     * Returns the image files in a folder and its sub-folders; see {@link ImageFolder#scan}.
     *
     * @param folder the folder
     * @throws IOException if the folder or a sub-folder can't be read, or if links form a cycle
     */
    public static List<Path> find(Path folder) throws IOException {
        return ImageFolder.scan(folder).images().stream()
                .map(ImageFolder.Image::file)
                .toList();
    }

    /**
     * Decodes an image file.
     *
     * @param file the image file
     * @throws IOException if the file can't be read or is not a complete image; the message names the file
     */
    public static RgbImage read(Path file) throws IOException {
        return read(file, (width, height) -> {});
    }

    /**
     * Decodes an image file after checking its size.
     *
     * @param file the image file
     * @param size receives the image's size before memory for its pixels is allocated
     * @throws IOException if the file can't be read or is not a complete image, or if {@code size} throws it; the message names the
     *     file
     */
    public static RgbImage read(Path file, SizeCheck size) throws IOException {
        try (DecodingHeap.Lease heap = DecodingHeap.enter()) {
            if (Files.size(file) > MAX_BYTES) {
                throw new IOException("file too large: " + Files.size(file) + " bytes, at most " + MAX_BYTES);
            }
            heap.takeFile(Files.size(file));
            return read(RegularFiles.read(file), size);
        } catch (OutOfMemoryError e) {
            throw new IOException(file + ": its bytes do not fit into the heap: give Java more memory (-Xmx)", e);
        } catch (NoSuchFileException e) {
            throw new IOException(file + ": no such file, or a broken link", e);
        } catch (AccessDeniedException e) {
            throw new IOException(file + ": no permission to read it", e);
        } catch (IOException e) {
            throw new IOException(file + ": " + (e.getMessage() == null ? e.toString() : e.getMessage()), e);
        }
    }

    /**
     * Decodes an image file that is stored elsewhere than in a local file system. Threads that read large files at the same time wait for
     * each other, so that the bytes of their files fit into a quarter of the heap.
     *
     * @param length size of the file in bytes, at most 256 MB and half of the heap; negative if it is not known
     * @param content reads the file; not called for a file that is too large
     * @param size receives the image's size before memory for its pixels is allocated
     * @throws IOException if the file is too large, can't be read or is not a complete image, or if {@code size} throws it
     */
    public static RgbImage read(long length, Content content, SizeCheck size) throws IOException {
        ImageFileSize.check(length);
        try (DecodingHeap.Lease heap = DecodingHeap.enter()) {
            heap.takeFile(length);
            return read(content.bytes(), size);
        } catch (OutOfMemoryError e) {
            throw new IOException("its bytes do not fit into the heap: give Java more memory (-Xmx)", e);
        }
    }

    /** Reads the bytes of an image file. */
    @FunctionalInterface
    public interface Content {
        /**
         * Reads the file.
         *
         * @return all bytes of the file
         * @throws IOException if it can't be read
         */
        byte[] bytes() throws IOException;
    }

    /**
     * Decodes the bytes of an image file.
     *
     * @param bytes the bytes of the file
     * @throws IOException if the bytes are not a complete image in a supported format
     */
    public static RgbImage read(byte[] bytes) throws IOException {
        return read(bytes, (width, height) -> {});
    }

    /**
     * Decodes the bytes of an image file after checking its size. Threads that decode large images at the same time wait for each other.
     *
     * @param bytes the bytes of the file
     * @param size receives the image's size before memory for its pixels is allocated
     * @throws IOException if the bytes are not a complete image, if the heap is too small for it, or if {@code size} throws it
     */
    public static RgbImage read(byte[] bytes, SizeCheck size) throws IOException {
        return Decoding.decode(Decoders.of(bytes), bytes, size);
    }

    /**
     * Converts an image to RGB bytes. Transparent pixels are blended with black. Stored values are used directly, since Java's own
     * conversion would interpret grey and 16-bit values as linear light, which brightens them, and would apply colour profiles.
     *
     * @param image a grey, RGB, CMYK or indexed image with integer values
     * @throws IllegalArgumentException if the image is of another kind
     */
    public static RgbImage of(BufferedImage image) {
        return BufferedImages.toRgb(image);
    }

    /**
     * Encodes an image as a file of Java's image writers. The bytes are collected in memory: {@link ImageIO#write(java.awt.image.RenderedImage,
     * String, java.io.OutputStream)} takes a temporary file, which a killed process leaves behind.
     *
     * @param image the image
     * @param format {@code png}, {@code jpeg} or another format that Java can write
     * @return the bytes of the file
     * @throws IllegalArgumentException if Java has no writer for the format and the kind of image
     */
    public static byte[] encode(BufferedImage image, String format) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
            if (!ImageIO.write(image, format, out)) {
                throw new IllegalArgumentException("Java cannot write " + image + " as " + format);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Encoding in memory failed", e);
        }
        return bytes.toByteArray();
    }
}
