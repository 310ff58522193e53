package io.github.simclr4j.images.source;

import io.github.simclr4j.images.Images;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Files that lie together, in a folder or in an archive. Closing it closes what was opened of it. */
interface Shelf extends Closeable {
    /** The names of the files, without folders, in order. */
    List<String> names() throws IOException;

    /** A file; null if there is none of that name. */
    Bytes open(String name) throws IOException;

    /** What an error calls a file. */
    String display(String name);

    /** A folder, without those in it. */
    record OfFolder(Path folder, List<Bytes> opened) implements Shelf {
        OfFolder(Path folder) {
            this(folder, new ArrayList<>());
        }

        @Override
        public List<String> names() throws IOException {
            try (Stream<Path> files = Files.list(folder)) {
                return files.filter(Files::isRegularFile).map(f -> f.getFileName().toString()).sorted().toList();
            }
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

    /** Parts of an archive. */
    record OfParts(String container, Bytes whole, Map<String, Bytes> parts, Map<String, String> paths) implements Shelf {
        OfParts(String container, Bytes whole) {
            this(container, whole, new TreeMap<>(), new TreeMap<>());
        }

        void add(String path, Bytes bytes) {
            String name = path.substring(path.lastIndexOf('/') + 1);
            if (!Images.isHidden(path)) {
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
