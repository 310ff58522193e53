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
 * A small file that says what else in its folder belongs to a process. It is locked as long as the process lives. If the process is
 * killed, the next one finds the mark, takes it over, and knows what to delete. Closing deletes the mark.
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
     * Leaves a mark in a folder that exists.
     *
     * @param kind of what is marked, such as {@code onnxruntime}
     * @param lines what the mark says
     * @throws IOException if the folder can't be written to
     */
    public static OwnerMark create(Path folder, String kind, List<String> lines) throws IOException {
        while (true) {
            String name = String.format(Locale.ROOT, "simclr4j-%s-%016x.mark", kind, ThreadLocalRandom.current().nextLong());
            Path path = folder.toAbsolutePath().resolve(name);
            OwnedFile owned = OwnedFile.create(path);
            if (owned != null) {
                OwnerMark mark = new OwnerMark(path, owned, List.copyOf(lines));
                try {
                    owned.channel().write(ByteBuffer.wrap(
                            (FIRST_LINE + "\n" + String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8)));
                } catch (IOException e) {
                    mark.close();
                    throw e;
                }
                return mark;
            }
        }
    }

    /**
     * The marks of a folder by their owners.
     *
     * @param abandoned those that killed processes left, taken over: the caller closes or {@linkplain #release releases} each
     * @param living how many belong to processes that live
     */
    public record Found(List<OwnerMark> abandoned, int living) {}

    /**
     * Looks for marks in a folder that exists.
     *
     * @throws IOException if the folder can't be listed
     */
    public static Found find(Path folder, String kind) throws IOException {
        Pattern names = pattern(kind);
        List<Path> all;
        try (Stream<Path> files = Files.list(folder.toAbsolutePath())) {
            all = files.filter(f -> names.matcher(f.getFileName().toString()).matches()).toList();
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
                String text = new String(Channels.newInputStream(owned.channel()).readAllBytes(), StandardCharsets.UTF_8);
                List<String> lines = text.lines().toList();
                OwnerMark mark = new OwnerMark(path, owned, lines.isEmpty() ? lines : lines.subList(1, lines.size()));
                if (lines.isEmpty() || !lines.get(0).equals(FIRST_LINE) || !text.endsWith("\n")) {
                    // Its process was killed before it had begun.
                    mark.close();
                } else {
                    abandoned.add(mark);
                }
            } catch (IOException e) {
                // Another user's, whose processes can't be told to be dead.
                living++;
            }
        }
        return new Found(abandoned, living);
    }

    /** Returns where the mark is. */
    public Path path() {
        return path;
    }

    /** Returns what the mark says. */
    public List<String> lines() {
        return lines;
    }

    /** Leaves the mark for the next process. */
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
