// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.internal.Fingerprint;
import java.io.IOException;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;

/**
 * Distinguishes a single unreadable image from a set that has become unreadable as a whole. When reading an image fails, other images are
 * tried: the one that was read last, and some that are spread over the set. If one of them can be read, the first is tried once more,
 * since the set may have been unavailable only for a moment. Thread-safe.
 */
final class Access {
    private static final int OTHERS = 8;

    /** Reads the bytes of an image. */
    @FunctionalInterface
    interface Reader {
        byte[] read(int i) throws IOException;
    }

    private final int size;
    private final IntFunction<String> name;
    private final IntPredicate readable;
    private final BooleanSupplier there;
    /** Index of the image that was read last, or -1. */
    private volatile int last = -1;

    /**
     * Creates an object for a set of images.
     *
     * @param size number of images
     * @param name returns the name of an image in messages
     * @param readable returns whether bytes of an image can be read now
     * @param there returns whether the folder or file of the set still exists; called if no image was ever read
     */
    Access(int size, IntFunction<String> name, IntPredicate readable, BooleanSupplier there) {
        this.size = size;
        this.name = name;
        this.readable = readable;
        this.there = there;
    }

    /**
     * Reads an image's bytes.
     *
     * @throws IOException if this image can't be read, but others can
     * @throws ImagesUnavailableException if no image can be read
     */
    byte[] read(int i, Reader reader) throws IOException {
        try {
            return once(i, reader);
        } catch (IOException e) {
            check(i, e);
        }
        try {
            return once(i, reader);
        } catch (IOException e) {
            check(i, e);
            throw e;
        }
    }

    private byte[] once(int i, Reader reader) throws IOException {
        byte[] bytes = reader.read(i);
        seen(i);
        return bytes;
    }

    /** Records that an image could be read. */
    void seen(int i) {
        last = i;
    }

    /**
     * Checks whether a failure concerns the whole set.
     *
     * @throws ImagesUnavailableException if it does
     */
    void check(int i, IOException e) {
        // An interrupt also makes reads of good images fail.
        if (!Thread.currentThread().isInterrupted() && isGone(i)) {
            throw new ImagesUnavailableException(name.apply(i), e);
        }
    }

    private boolean isGone(int failed) {
        int before = last;
        if (before >= 0 && before != failed && readable.test(before)) {
            return false;
        }
        for (int other : Fingerprint.spread(size, OTHERS)) {
            if (other != failed && readable.test(other)) {
                return false;
            }
        }
        return before >= 0 || !there.getAsBoolean();
    }
}
