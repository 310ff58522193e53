package io.github.simclr4j.images.format;

/** Looks for the bytes that formats and their parts begin with. */
final class Signatures {
    private Signatures() {}

    /** Returns whether the bytes from a place on are these; what lies beyond the end is not. */
    static boolean at(byte[] b, int at, int... expected) {
        for (int i = 0; i < expected.length; i++) {
            if (at < 0 || b.length <= at + i || (b[at + i] & 255) != expected[i]) {
                return false;
            }
        }
        return true;
    }
}
