// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.ImageFolder;
import java.nio.file.Path;
import java.util.List;

/** A source of the image files in a folder. */
final class FolderSource extends PathSource {
    private final List<Path> files;

    private FolderSource(Path folder, ImageFolder found, List<String> names) {
        super(folder, names, Labels.ofFolders(names, false), found.leftOut());
        files = found.images().stream().map(ImageFolder.Image::file).toList();
    }

    /** Creates a source of the images found in a folder, at least one. */
    static FolderSource of(Path folder, ImageFolder found) {
        return new FolderSource(
                folder,
                found,
                found.images().stream().map(ImageFolder.Image::name).toList());
    }

    @Override
    public String name(int i) {
        String separator = files.get(i).getFileSystem().getSeparator();
        return container + (separator.equals("/") ? names.get(i) : names.get(i).replace("/", separator));
    }

    @Override
    Path file(int i) {
        return files.get(i);
    }
}
