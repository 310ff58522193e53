// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Merges the shards of a file: checks that they belong together, and returns their rows in the order of the images, with
 * names as in the place of the first shard.
 */
final class ShardMerge implements Closeable {
    private final List<Path> files;
    private final List<ShardFile.Reader> readers = new ArrayList<>();
    private final PriorityQueue<Next> queue =
            new PriorityQueue<>(Comparator.comparingInt(n -> n.row().index()));
    private int merged;

    private record Next(ShardFile.Row row, int shard) {}

    /**
     * Opens the shards.
     *
     * @param out file that the shards are merged into
     * @throws IOException if shards are missing, or differ in their number of shards, encoder, settings or images
     */
    ShardMerge(Path out) throws IOException {
        files = find(out);
        try {
            for (Path file : files) {
                ShardFile.Reader reader = new ShardFile.Reader(file);
                readers.add(reader);
                Shard shard = new Shard(reader.about().shard(), reader.about().shards());
                if (!shard.beside(out).equals(file)) {
                    throw new IOException(file + " holds shard " + shard
                            + ", but its name names another: delete it, and run its --shard again");
                }
                String difference = reader.about().difference(about());
                if (difference != null) {
                    throw new IOException(file + " has the features of " + difference + " in " + files.get(0)
                            + ": delete the wrong one, and run its --shard again");
                }
                reader.share(about());
            }
            for (int i = 0; i < readers.size(); i++) {
                advance(i);
            }
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private static List<Path> find(Path out) throws IOException {
        Path folder = out.toAbsolutePath().getParent();
        Pattern pattern =
                Pattern.compile(Pattern.quote(out.getFileName().toString()) + "\\.shard-(\\d{1,4})-of-(\\d{1,4})");
        Set<Shard> found = new TreeSet<>(Comparator.comparingInt(Shard::count).thenComparingInt(Shard::number));
        if (Files.isDirectory(folder)) {
            try (Stream<Path> list = Files.list(folder)) {
                list.map(p -> pattern.matcher(p.getFileName().toString()))
                        .filter(Matcher::matches)
                        .forEach(m -> found.add(new Shard(Integer.parseInt(m.group(1)), Integer.parseInt(m.group(2)))));
            }
        }
        Set<Integer> counts = found.stream().map(Shard::count).collect(Collectors.toCollection(TreeSet::new));
        if (counts.isEmpty()) {
            throw new IOException(
                    "No shards of " + out + ": run embed with --shard 1/n to n/n and the same --out first");
        }
        if (counts.size() > 1) {
            throw new IOException("Beside " + out + " are shards of "
                    + counts.stream().map(String::valueOf).collect(Collectors.joining(" and of "))
                    + ": delete those that you do not need");
        }
        int count = counts.iterator().next();
        String missing = IntStream.rangeClosed(1, count)
                .filter(i -> !found.contains(new Shard(i, count)))
                .mapToObj(i -> i + "/" + count)
                .collect(Collectors.joining(", "));
        if (!missing.isEmpty()) {
            throw new IOException("Shards of " + out + " are missing: run embed with --shard " + missing);
        }
        return found.stream().map(s -> s.beside(out)).toList();
    }

    private void advance(int shard) throws IOException {
        ShardFile.Row row = readers.get(shard).next();
        if (row != null) {
            queue.add(new Next(row, shard));
        }
    }

    /** Returns the properties that all shards have in common. */
    ShardFile.Header about() {
        return readers.get(0).about();
    }

    List<Path> files() {
        return files;
    }

    /**
     * Returns the next row; null after the last.
     *
     * @throws IOException if no shard has the row of the next image, or two have it; the message names incomplete
     *     shards
     */
    ShardFile.Row next() throws IOException {
        if (merged == about().allImages() && queue.isEmpty()) {
            return null;
        }
        Next next = queue.poll();
        if (next == null || next.row().index() > merged) {
            throw new IOException(incomplete());
        }
        if (next.row().index() < merged) {
            throw new IOException(files.get(next.shard()) + " has a row for " + about().fullName(next.row())
                    + " that another shard also has: delete it, and run its --shard again");
        }
        merged++;
        advance(next.shard());
        ShardFile.Row row = next.row();
        return new ShardFile.Row(row.index(), about().fullName(row), row.label(), row.features(), row.error());
    }

    /** Returns the message that names the shards that lack rows. */
    private String incomplete() throws IOException {
        StringBuilder shards = new StringBuilder();
        for (Path file : files) {
            int rows = 0;
            try (ShardFile.Reader reader = new ShardFile.Reader(file)) {
                while (reader.next() != null) {
                    rows++;
                }
                ShardFile.Header header = reader.about();
                if (rows < header.images()) {
                    shards.append(shards.length() == 0 ? "" : "; ")
                            .append(file)
                            .append(" has ")
                            .append(rows)
                            .append(" of ")
                            .append(header.images())
                            .append(" rows: run embed with --shard ")
                            .append(header.shard())
                            .append('/')
                            .append(header.shards())
                            .append(" again");
                }
            }
        }
        return shards.length() > 0
                ? shards.toString()
                : "No shard has a row for image " + merged + ": run embed again for all shards";
    }

    @Override
    public void close() throws IOException {
        for (ShardFile.Reader reader : readers) {
            reader.close();
        }
    }
}
