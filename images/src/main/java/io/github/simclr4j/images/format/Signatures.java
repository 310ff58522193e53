// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

/** Compares bytes with the signatures of formats and their parts. */
final class Signatures {
    private Signatures() {}

    /** Returns whether an array contains the expected bytes at a position; false beyond its end. */
    static boolean at(byte[] b, int at, int... expected) {
        for (int i = 0; i < expected.length; i++) {
            if (at < 0 || b.length <= at + i || (b[at + i] & 255) != expected[i]) {
                return false;
            }
        }
        return true;
    }
}
