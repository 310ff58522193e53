// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.internal;

import io.github.simclr4j.util.Sha256;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Computes the SHA-256 of separate parts, so that different divisions into parts have different hashes. */
public final class Fingerprint {
    private final Sha256 hash = new Sha256();

    public void add(long number) {
        hash.update(ByteBuffer.allocate(Long.BYTES).putLong(number).array());
    }

    public void add(byte[] bytes) {
        add(bytes.length);
        hash.update(bytes);
    }

    public void add(String text) {
        add(text.getBytes(StandardCharsets.UTF_8));
    }

    public String hex() {
        return hash.hex();
    }

    /** Returns up to {@code count} indices that are spread evenly from 0 to {@code size} - 1. */
    public static int[] spread(int size, int count) {
        int[] chosen = new int[Math.min(size, count)];
        for (int i = 0; i < chosen.length; i++) {
            chosen[i] = (int) ((long) i * size / chosen.length);
        }
        return chosen;
    }
}
