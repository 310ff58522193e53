// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.source;

import io.github.simclr4j.tribuo.internal.ImageFiles;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a table's cell stores an image. Every encoding also accepts a {@code data:} URI in base64.
 *
 * @since 0.1.0
 */
public enum ImageEncoding {
    // No constant may have a body: OLCUT would write the name of its anonymous class into the provenance and fail to
    // read it.
    /** A path, or a {@code file:} or relative URI. Relative paths and URIs are resolved against a given folder. */
    FILE,
    /** An image file's bytes in base64 (RFC 4648, either alphabet). White space is ignored. */
    BASE64,
    /** An image file's bytes as hexadecimal digits, as SQL's {@code HEX} and {@code RAWTOHEX} write them. */
    HEX;

    private static final Pattern REMOTE = Pattern.compile("([A-Za-z][A-Za-z0-9+.-]+)://.*", Pattern.DOTALL);
    private static final int SHOWN = 60;

    /**
     * Returns the bytes of the image file that a cell contains or refers to.
     *
     * @param cell the cell's text
     * @param folder the folder that relative paths are resolved against, or null for the working directory
     * @return the bytes of the image file, still encoded as PNG, JPEG and so on
     * @throws IOException if the cell can't be decoded or the file can't be read; the message does not repeat the cell
     */
    public byte[] bytes(String cell, Path folder) throws IOException {
        if (cell.isBlank()) {
            throw new IOException("the cell is empty");
        }
        String text = cell.strip();
        if (text.startsWith("[B@")) {
            throw new IOException(
                    "the column contains raw bytes, for which Tribuo passes on only a Java object reference: let the"
                            + " query return them as base64 or hexadecimal digits, and set the encoding to match");
        }
        if (text.regionMatches(true, 0, "data:", 0, 5)) {
            int comma = text.indexOf(',');
            if (comma < 0 || !text.substring(0, comma).toLowerCase(Locale.ROOT).endsWith(";base64")) {
                throw new IOException("expected a data: URI in base64 (data:image/png;base64,…)");
            }
            return base64(text.substring(comma + 1));
        }
        return switch (this) {
            case FILE -> ImageFiles.read(locate(text, folder));
            case BASE64 -> base64(text);
            case HEX -> hex(text);
        };
    }

    private static byte[] hex(String text) throws IOException {
        try {
            return HexFormat.of().parseHex(text.startsWith("0x") || text.startsWith("\\x") ? text.substring(2) : text);
        } catch (IllegalArgumentException e) {
            throw new IOException("expected hexadecimal digits: " + e.getMessage(), e);
        }
    }

    /** Shortens a long cell for messages. */
    static String shown(String cell) {
        return cell.length() <= SHOWN ? cell : cell.substring(0, SHOWN) + "… (" + cell.length() + " characters)";
    }

    private static byte[] base64(String text) throws IOException {
        try {
            return Base64.getDecoder()
                    .decode(text.replaceAll("\\s", "").replace('-', '+').replace('_', '/'));
        } catch (IllegalArgumentException e) {
            throw new IOException("expected base64: " + e.getMessage(), e);
        }
    }

    /** Returns the file that a cell names. */
    static Path locate(String cell, Path folder) throws IOException {
        try {
            if (cell.regionMatches(true, 0, "file:", 0, 5)) {
                return Path.of(new URI(cell));
            }
            Matcher remote = REMOTE.matcher(cell);
            if (remote.matches()) {
                throw new IOException("expected a path, or a file: or data: URI, found the scheme " + remote.group(1)
                        + ": download the image first");
            }
            Path file = below(folder, cell);
            if (cell.contains("%") && !Files.exists(file)) {
                // A relative URI: %20 is a space, but unlike in form data a plus sign is a plus sign.
                Path decoded = below(folder, URLDecoder.decode(cell.replace("+", "%2B"), StandardCharsets.UTF_8));
                return Files.exists(decoded) ? decoded : file;
            }
            return file;
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw new IOException("expected a path or a file: URI: " + e.getMessage(), e);
        }
    }

    private static Path below(Path folder, String path) throws InvalidPathException {
        return folder == null ? Path.of(path) : folder.resolve(path);
    }
}
