// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.watch;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * The head of an HTTP request (<a href="https://www.rfc-editor.org/rfc/rfc9112">RFC 9112</a>) of limited length; a body is not read.
 *
 * @param method method, such as GET
 * @param target target as it was sent, such as {@code /}
 * @param fields header fields, with names in lower case
 */
record Request(String method, String target, List<Field> fields) {
    /** Largest length of a head in bytes; browsers send less than a tenth. */
    static final int MOST_BYTES = 16 << 10;

    /** A header field. */
    record Field(String name, String value) {}

    /** A request that is answered with an error. */
    static final class Refused extends IOException {
        private static final long serialVersionUID = 1;

        private final int status;

        Refused(int status, String message) {
            super(message);
            this.status = status;
        }

        int status() {
            return status;
        }
    }

    /**
     * Reads a head.
     *
     * @return the head, or empty if the connection ended before its end
     * @throws Refused if the head is too long or not HTTP/1
     */
    static Optional<Request> read(InputStream in) throws IOException {
        byte[] head = new byte[MOST_BYTES];
        int length = 0;
        while (!ends(head, length)) {
            if (length == head.length) {
                throw new Refused(431, "The head of the request is longer than " + MOST_BYTES + " bytes");
            }
            int n = in.read(head, length, head.length - length);
            if (n < 0) {
                return Optional.empty();
            }
            length += n;
        }
        return Optional.of(parse(new String(head, 0, length, StandardCharsets.ISO_8859_1)));
    }

    /** Tells whether the head is complete; it checks all bytes again, of which there are few. */
    private static boolean ends(byte[] head, int length) {
        for (int i = 0; i + 3 < length; i++) {
            if (head[i] == '\r' && head[i + 1] == '\n' && head[i + 2] == '\r' && head[i + 3] == '\n') {
                return true;
            }
        }
        return false;
    }

    private static Request parse(String text) throws Refused {
        String[] lines = text.substring(0, text.indexOf("\r\n\r\n")).split("\r\n", -1);
        String[] words = lines[0].split(" ", -1);
        if (words.length != 3
                || !words[0].matches("[A-Z]{1,20}")
                || !words[1].startsWith("/")
                || !words[2].matches("HTTP/1\\.[01]")) {
            throw new Refused(400, "Expected a request such as GET / HTTP/1.1");
        }
        List<Field> fields = new ArrayList<>();
        for (int i = 1; i < lines.length; i++) {
            int colon = lines[i].indexOf(':');
            if (colon < 1
                    || !lines[i].substring(0, colon).matches("[!#$%&'*+.^_`|~0-9A-Za-z-]+")
                    || lines[i].matches("(?s).*[\\x00\\r\\n].*")) {
                throw new Refused(400, "Expected header fields such as Host: localhost");
            }
            fields.add(new Field(
                    lines[i].substring(0, colon).toLowerCase(Locale.ROOT),
                    lines[i].substring(colon + 1).strip()));
        }
        return new Request(words[0], words[1], fields);
    }

    /** Returns the values of a field, usually one or none. */
    List<String> values(String name) {
        return fields.stream()
                .filter(f -> f.name().equals(name))
                .map(Field::value)
                .toList();
    }

    /**
     * Checks that a browser on this machine requests a page of this server. Another site whose name resolves to this machine sends its own
     * name as the host (DNS rebinding), and scripts of other sites send their own origin.
     *
     * @param hosts names and port of this server, in lower case
     * @throws Refused if the request comes from elsewhere
     */
    void check(Set<String> hosts) throws Refused {
        List<String> host = values("host");
        if (host.size() != 1) {
            throw new Refused(400, "Expected one header field Host, found " + host.size());
        }
        if (!hosts.contains(host.get(0).toLowerCase(Locale.ROOT))) {
            throw new Refused(
                    403,
                    "This server only answers this machine: open http://"
                            + hosts.iterator().next() + "/");
        }
        for (String origin : values("origin")) {
            if (hosts.stream().noneMatch(h -> origin.toLowerCase(Locale.ROOT).equals("http://" + h))) {
                throw new Refused(403, "This server does not answer requests of other sites");
            }
        }
        if (!method.equals("GET") && !method.equals("HEAD")) {
            throw new Refused(405, "This server is read-only: expected GET or HEAD");
        }
        if (!values("transfer-encoding").isEmpty()
                || values("content-length").stream().anyMatch(v -> !v.equals("0"))) {
            throw new Refused(400, "This server does not accept content");
        }
    }
}
