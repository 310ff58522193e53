// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images;

import io.github.simclr4j.images.internal.RawNames;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The image files in a folder and its sub-folders, sorted by their paths relative to the folder. The order is the same on all operating
 * systems.
 *
 * <ul>
 *   <li>Links are followed. Broken links, devices and pipes are listed, so that reading them reports an error.
 *   <li>Hidden files (whose name begins with a dot) and files of macOS's own are left out without being counted.
 * </ul>
 *
 * @param images the image files in supported formats
 * @param leftOut the image files in formats that are not supported
 * @since 0.1.0
 */
public record ImageFolder(List<Image> images, LeftOut leftOut) {
    /**
     * An image file.
     *
     * @param file the path of the file
     * @param name its path relative to the folder, with slashes. A byte that is not UTF-8 is written as {@code %} and two hexadecimal
     *     digits, so that different files have different names
     */
    public record Image(Path file, String name) {}

    /**
     * Lists the images of a folder.
     *
     * @param folder the folder
     * @throws IOException if the folder or a sub-folder can't be read, if links form a cycle, or if two files get the same name because
     *     one is not UTF-8; the message names the file or folder
     */
    public static ImageFolder scan(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new IOException(folder + " is not a folder: expected a folder of images");
        }
        List<Image> images = new ArrayList<>();
        LeftOut.Counter others = new LeftOut.Counter();
        try (Stream<Path> files = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
            files.forEach(file -> {
                String name = RawNames.text(folder.relativize(file));
                if (ImageNames.isHidden(name)) {
                    return;
                }
                if (!ImageNames.isImageName(name)) {
                    if (Files.isRegularFile(file)) {
                        others.file(name, () -> startsAsImage(file));
                    }
                } else if (!Files.isDirectory(file)) {
                    images.add(new Image(file, name));
                }
            });
        } catch (UncheckedIOException e) {
            throw new IOException("Can't list " + folder + ": " + reason(e.getCause()), e);
        }
        images.sort(Comparator.comparing(Image::name));
        Set<String> names = new HashSet<>();
        for (Image image : images) {
            if (!names.add(image.name)) {
                throw new IOException("Two files in " + folder + " would be called " + image.name
                        + ", since the name of one is not UTF-8: rename it");
            }
        }
        return new ImageFolder(List.copyOf(images), others.done());
    }

    private static String reason(IOException e) {
        if (e instanceof AccessDeniedException a) {
            return "no permission to read " + a.getFile();
        }
        return e instanceof FileSystemLoopException l ? "links form a cycle at " + l.getFile() : e.toString();
    }

    private static boolean startsAsImage(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return ImageNames.startsAsImage(in.readNBytes(ImageNames.FIRST_BYTES));
        } catch (IOException e) {
            // Unreadable and without an extension, so there is no sign that it is an image.
            return false;
        }
    }
}
