// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.internal;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Path;

/**
 * Converts file names to text without losing bytes. On Unix and in archives names are bytes, and Java replaces all bytes that are not UTF-8
 * by the same character.
 */
public final class RawNames {
    /** The character by which Java replaces bytes that it can't decode. */
    private static final char REPLACEMENT = '\uFFFD';

    private static final int HEX = 16;

    private RawNames() {}

    /** Returns whether a name contains the replacement character. */
    public static boolean isUnclear(String name) {
        return name.indexOf(REPLACEMENT) >= 0;
    }

    /** Decodes bytes as UTF-8, and writes an invalid byte as {@code %} and two hexadecimal digits. */
    public static String text(byte[] name) {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer in = ByteBuffer.wrap(name);
        CharBuffer out = CharBuffer.allocate(name.length);
        StringBuilder text = new StringBuilder();
        while (true) {
            CoderResult result = decoder.decode(in, out, true);
            text.append(out.flip());
            out.clear();
            if (!result.isError()) {
                return text.toString();
            }
            for (int i = 0; i < result.length(); i++) {
                text.append(String.format("%%%02X", in.get() & 255));
            }
            decoder.reset();
        }
    }

    /** Returns a path as text with slashes, independently of the encoding of the process. */
    public static String text(Path path) {
        String shown = path.toString().replace(path.getFileSystem().getSeparator(), "/");
        if (!isUnclear(shown) || path.getFileSystem() != FileSystems.getDefault()) {
            return shown;
        }
        StringBuilder text = new StringBuilder(path.isAbsolute() ? "/" : "");
        for (int i = 0; i < path.getNameCount(); i++) {
            text.append(i == 0 ? "" : "/");
            String name = path.getName(i).toString();
            text.append(isUnclear(name) ? text(bytes(path.getName(i))) : name);
        }
        return text.toString();
    }

    /** Returns the bytes of a name on Unix, which only its URI contains. */
    private static byte[] bytes(Path name) {
        String uri = name.toUri().getRawPath();
        // The URI of a folder ends with a slash.
        String last = uri.endsWith("/") ? uri.substring(0, uri.length() - 1) : uri;
        last = last.substring(last.lastIndexOf('/') + 1);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = 0; i < last.length(); i++) {
            char c = last.charAt(i);
            if (c == '%') {
                bytes.write(Integer.parseInt(last, i + 1, i + 3, HEX));
                i += 2;
            } else {
                bytes.write(c);
            }
        }
        return bytes.toByteArray();
    }
}
