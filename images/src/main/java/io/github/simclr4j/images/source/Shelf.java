// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.ImageNames;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A group of files in a folder or an archive. Closing it closes all files opened through it. */
interface Shelf extends Closeable {
    /** Returns the names of the files, without folders, sorted. */
    List<String> names() throws IOException;

    /** Opens a file, or returns null if there is no file of that name. */
    Bytes open(String name) throws IOException;

    /** Returns the name of a file in messages. */
    String display(String name);

    /** Opens images among the files of a shelf. */
    interface Opener {
        ImageSource open(Shelf shelf) throws IOException;
    }

    /** Opens the images of a file on a shelf. */
    interface FileOpener {
        ImageSource open(Shelf shelf, String name) throws IOException;
    }

    /** Opens images, and closes the shelf if that fails. */
    static ImageSource owned(Shelf shelf, Opener opener) throws IOException {
        ImageSource source = null;
        try {
            source = opener.open(shelf);
            return source;
        } finally {
            if (source == null) {
                shelf.close();
            }
        }
    }

    /** Opens the images of a file, which may also use the files beside it. */
    static ImageSource ownedFile(Path file, FileOpener opener) throws IOException {
        Path folder = file.getParent() == null ? Path.of("") : file.getParent();
        return owned(
                new OfFolder(folder),
                shelf -> opener.open(shelf, file.getFileName().toString()));
    }

    /** The files directly in a folder. */
    record OfFolder(Path folder, List<Bytes> opened) implements Shelf {
        OfFolder(Path folder) {
            this(folder, new ArrayList<>());
        }

        @Override
        public List<String> names() throws IOException {
            return ImageSetCandidate.list(folder);
        }

        @Override
        public Bytes open(String name) throws IOException {
            Path file = folder.resolve(name);
            if (!Files.isRegularFile(file)) {
                return null;
            }
            Bytes bytes = new FileBytes(file);
            opened.add(bytes);
            return bytes;
        }

        @Override
        public String display(String name) {
            return folder.resolve(name).toString();
        }

        @Override
        public void close() throws IOException {
            for (Bytes b : opened) {
                b.close();
            }
        }
    }

    /** The members of an archive. */
    record OfParts(String container, Bytes whole, Map<String, Bytes> parts, Map<String, String> paths)
            implements Shelf {
        OfParts(String container, Bytes whole) {
            this(container, whole, new TreeMap<>(), new TreeMap<>());
        }

        void add(String path, Bytes bytes) {
            String name = path.substring(path.lastIndexOf('/') + 1);
            if (!ImageNames.isHidden(path)) {
                parts.put(name, bytes);
                paths.put(name, path);
            }
        }

        @Override
        public List<String> names() {
            return List.copyOf(parts.keySet());
        }

        @Override
        public Bytes open(String name) {
            return parts.get(name);
        }

        @Override
        public String display(String name) {
            return container + paths.getOrDefault(name, name);
        }

        @Override
        public void close() throws IOException {
            whole.close();
        }
    }
}
