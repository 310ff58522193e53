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
 * The head of a request by RFC 9112: no body is read, and no more than a fixed number of bytes.
 *
 * @param method such as GET
 * @param target as it was sent, such as {@code /}
 * @param fields names in lower case, and their values
 */
record Request(String method, String target, List<Field> fields) {
    /** Bytes of a head; browsers send less than a tenth. */
    static final int MOST_BYTES = 16 << 10;

    /** A header field. */
    record Field(String name, String value) {}

    /** A request that is not answered as it was meant. */
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
     * @return empty if the connection ends before its end, or nothing was sent
     * @throws Refused if it is too long, or no head of HTTP/1
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

    /** Looks at the whole head again each time, of which there is little. */
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
        if (words.length != 3 || !words[0].matches("[A-Z]{1,20}") || !words[1].startsWith("/") || !words[2].matches("HTTP/1\\.[01]")) {
            throw new Refused(400, "Expected a request such as GET / HTTP/1.1");
        }
        List<Field> fields = new ArrayList<>();
        for (int i = 1; i < lines.length; i++) {
            int colon = lines[i].indexOf(':');
            if (colon < 1 || !lines[i].substring(0, colon).matches("[!#$%&'*+.^_`|~0-9A-Za-z-]+")
                    || lines[i].matches("(?s).*[\\x00\\r\\n].*")) {
                throw new Refused(400, "Expected header fields such as Host: localhost");
            }
            fields.add(new Field(lines[i].substring(0, colon).toLowerCase(Locale.ROOT), lines[i].substring(colon + 1).strip()));
        }
        return new Request(words[0], words[1], fields);
    }

    /** Returns the values of a field, mostly one or none. */
    List<String> values(String name) {
        return fields.stream().filter(f -> f.name().equals(name)).map(Field::value).toList();
    }

    /**
     * Checks that a browser of this machine asks for a page of this server: another site whose name leads here sends its own name
     * as the host (DNS rebinding), and its scripts send its own origin.
     *
     * @param hosts names and port of this server, in lower case
     * @throws Refused if it is not so
     */
    void check(Set<String> hosts) throws Refused {
        List<String> host = values("host");
        if (host.size() != 1) {
            throw new Refused(400, "Expected one header field Host, found " + host.size());
        }
        if (!hosts.contains(host.get(0).toLowerCase(Locale.ROOT))) {
            throw new Refused(403, "This server answers on this machine alone: open http://" + hosts.iterator().next() + "/");
        }
        for (String origin : values("origin")) {
            if (hosts.stream().noneMatch(h -> origin.toLowerCase(Locale.ROOT).equals("http://" + h))) {
                throw new Refused(403, "This server does not answer other sites");
            }
        }
        if (!method.equals("GET") && !method.equals("HEAD")) {
            throw new Refused(405, "This server is read only: expected GET or HEAD");
        }
        if (!values("transfer-encoding").isEmpty() || values("content-length").stream().anyMatch(v -> !v.equals("0"))) {
            throw new Refused(400, "This server takes no content");
        }
    }
}
