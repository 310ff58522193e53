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
 * The image files below a folder, however deep, in the order of their paths below it, which is that of texts with slashes and
 * the same on every system. Links are followed; one that leads nowhere, a device or a pipe is listed, so that whoever reads it notices; what is
 * hidden (a name that begins with a dot) or a Mac's book-keeping is left out without being counted.
 *
 * @param images the files that are read
 * @param leftOut images in formats that are not read
 */
public record ImageFolder(List<Image> images, LeftOut leftOut) {
    /**
     * An image file.
     *
     * @param file where it is
     * @param name its path below the folder, with slashes; a byte that is not UTF-8 is shown as {@code %} and two hexadecimal
     *     digits, so that different files have different names
     */
    public record Image(Path file, String name) {}

    /**
     * Looks through a folder.
     *
     * @throws IOException if the folder or one below can't be read, links go round in circles, or two files have the same name
     *     because one is not UTF-8; the message names it
     */
    public static ImageFolder scan(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new IOException(folder + " is not a folder: name a folder with images in it");
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
            throw new IOException("Can't look through " + folder + ": " + reason(e.getCause()), e);
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
        return e instanceof FileSystemLoopException l ? "links go round in a circle at " + l.getFile() : e.toString();
    }

    private static boolean startsAsImage(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return ImageNames.startsAsImage(in.readNBytes(ImageNames.FIRST_BYTES));
        } catch (IOException e) {
            // Nothing says that it is an image.
            return false;
        }
    }
}
