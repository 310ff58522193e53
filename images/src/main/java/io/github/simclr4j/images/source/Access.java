package io.github.simclr4j.images.source;

import io.github.simclr4j.images.internal.Fingerprint;
import java.io.IOException;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;

/**
 * Tells an image whose bytes can't be read from a set that can't be read any more. When one fails, others are asked for: the one
 * that was read last, and some that are spread over the set. If one of them can be read, the first is tried once more, since the
 * set may have been gone for a moment. Threads may share an object.
 */
final class Access {
    private static final int OTHERS = 8;

    /** Reads what stands for an image. */
    @FunctionalInterface
    interface Reader {
        byte[] read(int i) throws IOException;
    }

    private final int size;
    private final IntFunction<String> name;
    private final IntPredicate readable;
    private final BooleanSupplier there;
    /** The image that was read last; -1 before the first. */
    private volatile int last = -1;

    /**
     * @param size how many images there are
     * @param name what errors call each
     * @param readable whether bytes of an image can be read now
     * @param there whether what holds the images is still there, asked if none of them was ever read
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
     * @throws IOException if they can't be read, but others can
     * @throws ImagesUnavailableException if no others can
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

    /** Notes that an image could be read. */
    void seen(int i) {
        last = i;
    }

    /**
     * Judges a failure.
     *
     * @throws ImagesUnavailableException if it is one of the whole set
     */
    void check(int i, IOException e) {
        // An interrupt makes reads fail that are all right.
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
