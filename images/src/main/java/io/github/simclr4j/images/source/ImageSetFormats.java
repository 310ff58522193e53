// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/** Finds the format of a set of images. */
final class ImageSetFormats {
    private static final String EXPECTED =
            "expected a folder of images, a zip or tar archive of them, a table of paths with a"
                    + " header (.csv, .tsv), or a binary file of CIFAR, STL-10 or MNIST (IDX)";
    /** Extensions of formats that are recognised by their content: a file with another content is damaged or wrongly named. */
    private static final List<String> ENDINGS = List.of(".zip", ".tar", ".tgz", ".gz", ".xz", ".txz", ".bz2", "-ubyte");
    /** Minimum order of the formats of this library. */
    private static final int OWN = 100;

    private ImageSetFormats() {}

    static List<ImageSetFormat> installed() {
        // The thread's class loader may see other jars than this class's loader.
        Map<Class<?>, ImageSetFormat> found = new LinkedHashMap<>();
        for (ServiceLoader<ImageSetFormat> loader : List.of(
                ServiceLoader.load(ImageSetFormat.class),
                ServiceLoader.load(ImageSetFormat.class, ImageSetFormat.class.getClassLoader()))) {
            loader.forEach(f -> found.putIfAbsent(f.getClass(), f));
        }
        return found.values().stream()
                .sorted(Comparator.comparingInt(ImageSetFormat::order).thenComparing(ImageSetFormat::name))
                .toList();
    }

    static ImageSource open(Path path, TableColumns columns, Progress progress) throws IOException {
        List<String> shards = Files.exists(path) ? List.of() : shards(path);
        ImageSource source =
                shards.size() > 1 ? openShards(path, shards, columns, progress) : openOne(path, columns, progress);
        if (source.leftOut().count() > 0) {
            progress.warn(path + ": " + source.leftOut() + "; supported are JPEG, PNG, WebP, BMP, GIF and TIFF");
        }
        return source;
    }

    private static List<String> shards(Path path) throws IOException {
        try {
            return Braces.expand(path.toString());
        } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private static ImageSource openShards(Path path, List<String> shards, TableColumns columns, Progress progress)
            throws IOException {
        List<ImageSource> opened = new ArrayList<>();
        try {
            for (String shard : shards) {
                opened.add(openOne(path.getFileSystem().getPath(shard), columns, progress));
            }
            return ShardedSource.of(opened);
        } catch (IOException | RuntimeException e) {
            ShardedSource.closeAll(opened);
            throw e;
        }
    }

    private static ImageSource openOne(Path path, TableColumns columns, Progress progress) throws IOException {
        List<ImageSetFormat> formats = installed();
        String expected = EXPECTED
                + formats.stream()
                        .filter(f -> f.order() < OWN)
                        .map(f -> ", or " + f.description())
                        .collect(Collectors.joining());
        if (!Files.isDirectory(path) && !Files.isRegularFile(path)) {
            throw new IOException(path + (Files.exists(path) ? " is neither a file nor a folder" : " does not exist")
                    + ": " + expected);
        }
        // Files of the operating system, such as those in /proc, have a size of 0, and reading some of them blocks for
        // ever.
        if (Files.isRegularFile(path) && Files.size(path) == 0) {
            throw new IOException(path + " is empty: " + expected);
        }
        ImageSetCandidate candidate = new ImageSetCandidate(path, columns);
        for (ImageSetFormat format : formats) {
            Optional<ImageSource> source = format.open(candidate, progress);
            if (source.isPresent()) {
                return source.get();
            }
        }
        throw unknown(candidate, expected);
    }

    private static IOException unknown(ImageSetCandidate candidate, String expected) {
        Path path = candidate.path();
        if (candidate.compression() != null) {
            return new IOException(
                    candidate.isDecompressed()
                            ? path
                                    + ": found something compressed that is neither a tar archive nor a gzipped IDX file: "
                                    + expected
                            : path + " is compressed by " + candidate.compression() + ": expected gzip, xz or bzip2");
        }
        String archive = candidate.archive();
        if (archive != null) {
            return new IOException(
                    path + " is an archive of a kind that is not supported (" + archive + "): " + expected);
        }
        String name = candidate.lowerCaseName();
        Optional<String> ending = ENDINGS.stream().filter(name::endsWith).findFirst();
        if (ending.isPresent()) {
            return new IOException(path + ": its content does not match the extension '" + ending.get()
                    + "': damaged or wrongly named; " + expected);
        }
        return new IOException(path + ": " + expected
                + (EncodedSource.isWanted(name)
                        ? ", found a single image: give its folder instead"
                        : ", found none of these"));
    }

    /** Returns whether a file's name has the extension of a format that is recognised by its content. */
    static boolean hasEnding(String lowerCaseName) {
        return ENDINGS.stream().anyMatch(lowerCaseName::endsWith);
    }
}
