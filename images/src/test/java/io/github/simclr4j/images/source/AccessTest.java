// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class AccessTest {
    private static final IOException STALE = new FileSystemException("share/0.png", null, "Stale file handle");

    private static Access of(boolean othersReadable, boolean there) {
        return new Access(5, i -> "image " + i, i -> othersReadable, () -> there);
    }

    @Test
    void aReadThatFailedForAMomentIsTriedOnceMore() throws IOException {
        AtomicInteger reads = new AtomicInteger();
        assertArrayEquals(new byte[] {7}, of(true, true).read(0, i -> {
            if (reads.incrementAndGet() == 1) {
                throw STALE;
            }
            return new byte[] {7};
        }));
        assertEquals(2, reads.get());
    }

    @Test
    void oneImageThatCantBeReadIsThatImagesFault() {
        assertSame(
                STALE,
                assertThrows(
                        IOException.class,
                        () -> of(true, true).read(0, i -> {
                            throw STALE;
                        })));
    }

    @Test
    void noneThatCanBeReadIsTheSets() throws IOException {
        Access access = of(false, true);
        access.read(1, i -> new byte[1]);
        assertEquals(
                "image 0: share/0.png: Stale file handle, and no other image of the set can be read any more: make the set"
                        + " available again (a network folder or a disk may be disconnected), then start again",
                assertThrows(ImagesUnavailableException.class, () -> access.check(0, STALE))
                        .getMessage());
        assertThrows(ImagesUnavailableException.class, () -> of(false, false).check(0, STALE));
    }

    /** Each of some images without permission, say, is unreadable by itself. */
    @Test
    void aSetOfWhichNothingCouldEverBeReadIsOneOfUnreadableImages() {
        of(false, true).check(0, STALE);
    }

    @Test
    void anInterruptSaysNothingOfTheSet() {
        Thread.currentThread().interrupt();
        try {
            of(false, false).check(0, STALE);
        } finally {
            Thread.interrupted();
        }
    }
}
