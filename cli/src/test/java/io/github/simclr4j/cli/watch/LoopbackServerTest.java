// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the server answers, to the byte, and what it does not put up with. */
class LoopbackServerTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    private LoopbackServer server;

    @BeforeEach
    void serve() throws IOException {
        server = new LoopbackServer(0, () -> "<p>page</p>", new LoopbackServer.Limits(8, LONG));
    }

    @AfterEach
    void end() throws IOException {
        server.close();
    }

    private static Socket connect(LoopbackServer to) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), to.port());
        socket.setSoTimeout((int) LONG.toMillis());
        return socket;
    }

    /** Returns what comes back until the connection ends; a connection that is cut off ends, too. */
    private static String read(Socket socket) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        try {
            socket.getInputStream().transferTo(all);
        } catch (IOException e) {
            assertFalse(e instanceof java.net.SocketTimeoutException, "still open");
        }
        return all.toString(StandardCharsets.UTF_8);
    }

    private static void write(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private String ask(String request) throws IOException {
        try (Socket socket = connect(server)) {
            write(socket, request.replace("PORT", "" + server.port()));
            return read(socket);
        }
    }

    private String get(String fields) throws IOException {
        return ask("GET / HTTP/1.1\r\n" + fields + "\r\n");
    }

    private static int status(String answer) {
        assertTrue(answer.startsWith("HTTP/1.1 "), "no answer: " + answer);
        return Integer.parseInt(answer.substring(9, 12));
    }

    @Test
    void thePageComesWithHeadersThatKeepItToItself() throws IOException {
        String answer = get("Host: 127.0.0.1:PORT\r\n");
        assertTrue(answer.startsWith("HTTP/1.1 200 OK\r\n") && answer.endsWith("\r\n\r\n<p>page</p>"), answer);
        for (String field : List.of(
                "Content-Type: text/html; charset=utf-8",
                "Content-Length: 11",
                "Cache-Control: no-store",
                "X-Content-Type-Options: nosniff",
                "X-Frame-Options: DENY",
                "Referrer-Policy: no-referrer",
                "Cross-Origin-Resource-Policy: same-origin",
                "Connection: close")) {
            assertTrue(answer.contains("\r\n" + field + "\r\n"), field);
        }
        assertTrue(answer.contains("Content-Security-Policy: default-src 'none'; ")
                && answer.contains("frame-ancestors 'none'\r\n"));
        assertFalse(answer.contains("Access-Control"), "no other site may read it");
        String head = ask("HEAD / HTTP/1.1\r\nHost: localhost:PORT\r\n\r\n");
        assertEquals(answer.substring(0, answer.length() - 11), head);
    }

    @Test
    void aPageThatABrowserHasIsNotSentAgain() throws IOException {
        String tag = get("Host: 127.0.0.1:PORT\r\n").replaceAll("(?s).*ETag: (\"\\w+\").*", "$1");
        assertTrue(
                get("Host: 127.0.0.1:PORT\r\nIf-None-Match: " + tag + "\r\n").matches("(?s)HTTP/1.1 304 .*\r\n\r\n"));
        assertEquals(200, status(get("Host: 127.0.0.1:PORT\r\nIf-None-Match: \"other\"\r\n")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "127.0.0.1:PORT|200",
                "localhost:PORT|200",
                "LocalHost:PORT|200",
                "[::1]:PORT|200",
                "127.0.0.1|403",
                "localhost:1|403",
                "evil.example|403",
                "evil.example:PORT|403",
                "127.0.0.1.evil.example:PORT|403",
                "localhost.:PORT|403",
                "0.0.0.0:PORT|403",
                "127.0.0.1:PORT:PORT|403"
            })
    void otherHostsAreRefused(String host, int status) throws IOException {
        assertEquals(status, status(get("Host: " + host + "\r\n")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "http://127.0.0.1:PORT|200",
                "http://localhost:PORT|200",
                "https://127.0.0.1:PORT|403",
                "null|403",
                "http://evil.example|403",
                "http://127.0.0.1:1|403",
                "http://127.0.0.1:PORT.evil.example|403"
            })
    void otherSitesAreRefused(String origin, int status) throws IOException {
        assertEquals(status, status(get("Host: 127.0.0.1:PORT\r\nOrigin: " + origin + "\r\n")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/../etc/passwd",
                "/..%2f..%2fetc%2fpasswd",
                "/metrics.jsonl",
                "/favicon.ico",
                "//",
                "/?x",
                "/%00",
                "/\\..\\x"
            })
    void noAddressIsAFile(String target) throws IOException {
        String answer = ask("GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n");
        assertEquals(404, status(answer));
        assertFalse(answer.contains("page</p>") || answer.contains("passwd"), answer);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "POST / HTTP/1.1#Host: 127.0.0.1:PORT#Content-Length: 3##abc|405",
                "DELETE / HTTP/1.1#Host: 127.0.0.1:PORT##|405",
                "OPTIONS / HTTP/1.1#Host: 127.0.0.1:PORT##|405",
                "GET / HTTP/1.1#Host: 127.0.0.1:PORT#Content-Length: 3##abc|400",
                "GET / HTTP/1.1#Host: 127.0.0.1:PORT#Transfer-Encoding: chunked##0##|400",
                "GET / HTTP/1.1##|400",
                "GET / HTTP/1.1#Host: 127.0.0.1:PORT#Host: 127.0.0.1:PORT##|400",
                "GET http://127.0.0.1:PORT/ HTTP/1.1#Host: 127.0.0.1:PORT##|400",
                "GET / HTTP/2.0#Host: 127.0.0.1:PORT##|400",
                "GET  / HTTP/1.1#Host: 127.0.0.1:PORT##|400",
                "nonsense##|400",
                "GET / HTTP/1.1#Host : 127.0.0.1:PORT##|400",
                "GET / HTTP/1.1#Host: 127.0.0.1:PORT# folded##|400",
                "GET / HTTP/1.0#Host: 127.0.0.1:PORT##|200"
            })
    void whatIsNoPlainQuestionIsRefused(String request, int status) throws IOException {
        assertEquals(status, status(ask(request.replace("#", "\r\n"))));
    }

    @Test
    void aHeadOfALimitedSizeIsRead() throws IOException {
        assertEquals(200, status(get("Host: 127.0.0.1:PORT\r\nCookie: " + "x".repeat(15_000) + "\r\n")));
        assertEquals(431, status(get("Host: 127.0.0.1:PORT\r\nCookie: " + "x".repeat(17_000) + "\r\n")));
        assertEquals(431, status(ask("GET /" + "x".repeat(100_000))));
    }

    @Test
    void whoIsSlowIsCutOff() throws IOException {
        server.close();
        String large = "x".repeat(64 << 20);
        server = new LoopbackServer(0, () -> large, new LoopbackServer.Limits(8, Duration.ofMillis(700)));
        long start = System.nanoTime();
        try (Socket silent = connect(server);
                Socket slow = connect(server);
                Socket reader = connect(server)) {
            write(slow, "GET / HTTP/1.1\r\n");
            write(reader, "GET / HTTP/1.1\r\nHost: 127.0.0.1:" + server.port() + "\r\n\r\n");
            assertEquals("", read(silent));
            assertEquals("", read(slow));
            // It has not read while the others were waited for, and gets what was on the way alone.
            assertTrue(read(reader).length() < large.length());
        }
        assertTrue(System.nanoTime() - start < LONG.toNanos());
        assertEquals(404, status(ask("GET /other HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n")), "it goes on");
    }

    @Test
    void moreConnectionsThanThereMayBeAreClosed() throws Exception {
        List<Socket> idle = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            idle.add(connect(server));
            write(idle.get(i), "G");
        }
        try (Socket ninth = connect(server)) {
            assertEquals("", read(ninth));
        }
        for (Socket socket : idle) {
            socket.close();
        }
        // Those that have gone make room.
        long end = System.nanoTime() + LONG.toNanos();
        while (!answers()) {
            assertTrue(System.nanoTime() < end, "no room again");
            Thread.sleep(20);
        }
    }

    /** Whether a connection is answered, and not closed unheard. */
    private boolean answers() {
        try {
            return !get("Host: 127.0.0.1:PORT\r\n").isEmpty();
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void aPortInUseIsSaidWithWhatToDo() {
        IOException e = assertThrows(
                IOException.class, () -> new LoopbackServer(server.port(), () -> "", LoopbackServer.Limits.USUAL));
        assertTrue(
                e.getMessage()
                        .matches("Port " + server.port()
                                + " is in use by another program.*: choose another port, or 0.*"),
                e.getMessage());
    }

    @Test
    void whatIsOpenEndsWithTheServer() throws IOException {
        try (Socket open = connect(server)) {
            write(open, "GET / HTTP/1.1\r\n");
            server.close();
            assertEquals("", read(open));
        }
        assertThrows(IOException.class, () -> connect(server).close());
    }

    @Test
    void aPageThatCannotBeMadeSaysWhy() throws IOException {
        server.close();
        server = new LoopbackServer(
                0,
                () -> {
                    throw new IOException("metrics.jsonl is a folder");
                },
                LoopbackServer.Limits.USUAL);
        String answer = get("Host: 127.0.0.1:PORT\r\n");
        assertEquals(500, status(answer));
        assertTrue(answer.endsWith("The page could not be created: metrics.jsonl is a folder\n"), answer);
        assertTrue(answer.contains("Content-Type: text/plain; charset=utf-8"));
    }

    @Test
    void onlyThisMachineIsListenedTo() {
        assertEquals("127.0.0.1", server.address().getHost());
    }
}
