// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.soak;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** A file system of a few megabytes in memory, which can be filled. */
final class SmallDisk implements AutoCloseable {
    private static final String FILLER = ".filler";

    private final Path folder;

    private SmallDisk(Path folder) {
        this.folder = folder;
    }

    /** Mounts one, or skips the test where that is not allowed. */
    static SmallDisk mount(Path folder, String size) throws IOException, InterruptedException {
        Files.createDirectories(folder);
        int code;
        try {
            code = new ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=" + size, "none", folder.toString())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        } catch (IOException e) {
            code = -1;
        }
        Assumptions.assumeTrue(code == 0, "skipped: no small file system could be mounted, which takes Linux and root");
        return new SmallDisk(folder);
    }

    Path folder() {
        return folder;
    }

    long free() throws IOException {
        return Files.getFileStore(folder).getUsableSpace();
    }

    /** Bytes that are taken. */
    long used() throws IOException {
        return Files.getFileStore(folder).getTotalSpace() - free();
    }

    /** Fills it but for some bytes. */
    void fill(long left) throws IOException {
        empty();
        byte[] block = new byte[4096];
        try (OutputStream out = Files.newOutputStream(folder.resolve(FILLER))) {
            for (long more = free() - left; more > 0; more -= block.length) {
                out.write(block, 0, (int) Math.min(block.length, more));
            }
        } catch (IOException e) {
            // A little less was free than it said.
            return;
        }
    }

    /** Makes room again. */
    void empty() throws IOException {
        Files.deleteIfExists(folder.resolve(FILLER));
    }

    @Override
    public void close() throws IOException {
        try {
            new ProcessBuilder("umount", folder.toString()).inheritIO().start().waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
