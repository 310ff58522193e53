package io.github.simclr4j.util;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Computes SHA-256 hashes (FIPS 180-4), in hexadecimal. */
public final class Sha256 {
    private final MessageDigest digest;

    /** Starts a hash over bytes that come in parts. */
    public Sha256() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns the hash of some bytes. */
    public static String hex(byte[] bytes) {
        return new Sha256().update(bytes).hex();
    }

    /** Returns the hash of some bytes that come in parts. */
    public static String hex(Iterable<byte[]> parts) {
        Sha256 hash = new Sha256();
        parts.forEach(hash::update);
        return hash.hex();
    }

    /** Adds bytes. */
    public Sha256 update(byte[] bytes) {
        digest.update(bytes);
        return this;
    }

    /** Adds a part of an array. */
    public Sha256 update(byte[] bytes, int offset, int length) {
        digest.update(bytes, offset, length);
        return this;
    }

    /** Adds what remains in a buffer. */
    public Sha256 update(ByteBuffer bytes) {
        digest.update(bytes);
        return this;
    }

    /** Returns the hash of everything that was added; the next part begins another hash. */
    public String hex() {
        return HexFormat.of().formatHex(digest.digest());
    }
}
