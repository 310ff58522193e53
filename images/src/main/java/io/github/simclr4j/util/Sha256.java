// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.util;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Computes SHA-256 hashes (FIPS 180-4), in hexadecimal.
 *
 * @since 0.1.0
 */
public final class Sha256 {
    private final MessageDigest digest;

    /** Starts a hash of bytes that are added in parts. */
    public Sha256() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns the hash of an array. */
    public static String hex(byte[] bytes) {
        return new Sha256().update(bytes).hex();
    }

    /** Returns the hash of the concatenation of arrays. */
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

    /** Adds the remaining bytes of a buffer. */
    public Sha256 update(ByteBuffer bytes) {
        digest.update(bytes);
        return this;
    }

    /** Returns the hash of all bytes added, and starts a new hash. */
    public String hex() {
        return HexFormat.of().formatHex(digest.digest());
    }
}
