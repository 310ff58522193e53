// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.util;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A small file that lists other files in its folder that belong to a process. It is locked as long as the process runs. If the process is
 * killed, the next process finds the mark, takes it over, and can delete the files. Closing deletes the mark.
 *
 * @since 0.1.0
 */
public final class OwnerMark implements Closeable {
    private static final String FIRST_LINE = "simclr4j";

    private final Path path;
    private final OwnedFile owned;
    private final List<String> lines;

    private OwnerMark(Path path, OwnedFile owned, List<String> lines) {
        this.path = path;
        this.owned = owned;
        this.lines = lines;
    }

    private static Pattern pattern(String kind) {
        return Pattern.compile("simclr4j-" + Pattern.quote(kind) + "-[0-9a-f]{16}\\.mark");
    }

    /**
     * Creates a mark in an existing folder.
     *
     * @param folder the folder
     * @param kind the kind of the marked files, such as {@code onnxruntime}
     * @param lines the content of the mark
     * @throws IOException if the folder can't be written to
     */
    public static OwnerMark create(Path folder, String kind, List<String> lines) throws IOException {
        while (true) {
            String name = String.format(
                    Locale.ROOT,
                    "simclr4j-%s-%016x.mark",
                    kind,
                    ThreadLocalRandom.current().nextLong());
            Path path = folder.toAbsolutePath().resolve(name);
            OwnedFile owned = OwnedFile.create(path);
            if (owned != null) {
                OwnerMark mark = new OwnerMark(path, owned, List.copyOf(lines));
                try {
                    owned.channel()
                            .write(ByteBuffer.wrap((FIRST_LINE + "\n" + String.join("\n", lines) + "\n")
                                    .getBytes(StandardCharsets.UTF_8)));
                } catch (IOException e) {
                    mark.close();
                    throw e;
                }
                return mark;
            }
        }
    }

    /**
     * The marks found in a folder.
     *
     * @param abandoned marks of killed processes, which were taken over: the caller closes or {@linkplain #release releases} each
     * @param living number of marks of running processes
     */
    public record Found(List<OwnerMark> abandoned, int living) {}

    /**
     * Finds the marks in an existing folder.
     *
     * @param folder the folder
     * @param kind the kind of the marked files
     * @throws IOException if the folder can't be listed
     */
    public static Found find(Path folder, String kind) throws IOException {
        Pattern names = pattern(kind);
        List<Path> all;
        try (Stream<Path> files = Files.list(folder.toAbsolutePath())) {
            all = files.filter(f -> names.matcher(f.getFileName().toString()).matches())
                    .toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        List<OwnerMark> abandoned = new ArrayList<>();
        int living = 0;
        for (Path path : all) {
            try {
                OwnedFile owned = OwnedFile.acquire(path);
                if (owned == null) {
                    living++;
                    continue;
                }
                String text =
                        new String(Channels.newInputStream(owned.channel()).readAllBytes(), StandardCharsets.UTF_8);
                List<String> lines = text.lines().toList();
                OwnerMark mark = new OwnerMark(path, owned, lines.isEmpty() ? lines : lines.subList(1, lines.size()));
                if (lines.isEmpty() || !lines.get(0).equals(FIRST_LINE) || !text.endsWith("\n")) {
                    // The process was killed before it had written the mark.
                    mark.close();
                } else {
                    abandoned.add(mark);
                }
            } catch (IOException e) {
                // The mark belongs to another user, so it is unknown whether its process is running.
                living++;
            }
        }
        return new Found(abandoned, living);
    }

    /** Returns the path of the mark. */
    public Path path() {
        return path;
    }

    /** Returns the content of the mark. */
    public List<String> lines() {
        return lines;
    }

    /**
     * Releases the mark without deleting it, for the next process.
     *
     * @throws IOException if the mark can't be closed
     */
    public void release() throws IOException {
        owned.close();
    }

    /** Deletes the mark. */
    @Override
    public void close() throws IOException {
        try {
            Files.deleteIfExists(path);
        } finally {
            owned.close();
        }
    }
}
