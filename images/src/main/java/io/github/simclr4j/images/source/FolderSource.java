package io.github.simclr4j.images.source;

import io.github.simclr4j.images.ImageFolder;
import io.github.simclr4j.util.RegularFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The image files of a folder. */
final class FolderSource extends EncodedSource {
    private final List<Path> files;

    private FolderSource(Path folder, ImageFolder found, List<String> names) {
        super(folder + folder.getFileSystem().getSeparator(), names, Labels.ofFolders(names, false), found.leftOut());
        files = found.images().stream().map(ImageFolder.Image::file).toList();
    }

    /** The images that were found below a folder, at least one. */
    static FolderSource of(Path folder, ImageFolder found) {
        return new FolderSource(folder, found, found.images().stream().map(ImageFolder.Image::name).toList());
    }

    @Override
    public String name(int i) {
        String separator = files.get(i).getFileSystem().getSeparator();
        return container + (separator.equals("/") ? names.get(i) : names.get(i).replace("/", separator));
    }

    @Override
    long length(int i) throws IOException {
        return Files.isRegularFile(files.get(i)) ? Files.size(files.get(i)) : -1;
    }

    @Override
    String missing(int i) {
        return RegularFiles.objection(files.get(i));
    }

    @Override
    byte[] bytes(int i) throws IOException {
        return RegularFiles.read(files.get(i));
    }

    @Override
    public void close() {}
}
