// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.internal;

import java.io.IOException;

/** The limits on the size of an image file in a set. */
public final class ImageFileSize {
    /** Maximum size of an image file in bytes. */
    public static final long MAX = 256L << 20;

    private ImageFileSize() {}

    /**
     * Checks the size of an image file before its bytes are read.
     *
     * @param length size in bytes
     * @throws IOException if the file is too large for an image, or for the heap
     */
    public static void check(long length) throws IOException {
        if (length > MAX) {
            throw new IOException("too large for an image file: " + length + " bytes, at most " + MAX);
        }
        long room = Runtime.getRuntime().maxMemory() / 2;
        if (length > room) {
            throw new IOException("too large for Java's heap of " + (room >> 19) + " MB: " + length + " bytes, at most "
                    + room + "; give Java more memory (-Xmx)");
        }
    }
}
