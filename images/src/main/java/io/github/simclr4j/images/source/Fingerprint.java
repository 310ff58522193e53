package io.github.simclr4j.images.source;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 over parts that can't run into each other. */
public final class Fingerprint {
    private final MessageDigest digest;

    public Fingerprint() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    public void add(long number) {
        digest.update(ByteBuffer.allocate(Long.BYTES).putLong(number).array());
    }

    public void add(byte[] bytes) {
        add(bytes.length);
        digest.update(bytes);
    }

    public void add(String text) {
        add(text.getBytes(StandardCharsets.UTF_8));
    }

    public String hex() {
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Up to {@code count} indices, evenly spread from 0 to {@code size} - 1. */
    public static int[] spread(int size, int count) {
        int[] chosen = new int[Math.min(size, count)];
        for (int i = 0; i < chosen.length; i++) {
            chosen[i] = (int) ((long) i * size / chosen.length);
        }
        return chosen;
    }
}
