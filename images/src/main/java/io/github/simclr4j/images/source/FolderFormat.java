// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.ImageFolder;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Reads the image files in a folder and its sub-folders, in the order of their paths. The first sub-folder is the class. Files directly in
 * the folder have no class.
 *
 * @since 0.1.0
 */
public final class FolderFormat implements ImageSetFormat {
    @Override
    public String name() {
        return "folder";
    }

    @Override
    public String description() {
        return "a folder of images";
    }

    @Override
    public int order() {
        return 900;
    }

    @Override
    public Optional<ImageSource> open(ImageSetCandidate candidate, Progress progress) throws IOException {
        if (!candidate.isFolder()) {
            return Optional.empty();
        }
        Path folder = candidate.path();
        ImageFolder found = ImageFolder.scan(folder);
        if (!found.images().isEmpty()) {
            return Optional.of(FolderSource.of(folder, found));
        }
        // The official archives of binary sets unpack to a sub-folder.
        List<Path> inner;
        try (Stream<Path> entries = Files.list(folder)) {
            inner = entries.filter(Files::isDirectory).toList();
        }
        ImageSource binaries = inner.size() != 1 ? null : Shelf.owned(new Shelf.OfFolder(inner.get(0)), Binaries::open);
        if (binaries != null) {
            return Optional.of(binaries);
        }
        throw new IOException("No images in " + folder
                + ": expected JPEG, PNG, WebP, BMP, GIF or TIFF files, at any depth, or the binary files of CIFAR, STL-10 or MNIST"
                + (found.leftOut().count() == 0 ? "" : "; " + found.leftOut()));
    }
}
