// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.watch;

import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * An HTTP server for one page at {@code /}, for browsers on this machine. It never maps a URL to a file.
 *
 * <p>Requests have a size limit. Each connection has a time limit and serves one request, and the number of connections is limited, so
 * that a slow client can block others only for a limited time. Requests with another host or from other sites are refused.
 *
 * <p>Java's own server is not used because it reads request lines of any length, and its time limits are properties of the process.
 */
public final class LoopbackServer implements AutoCloseable {
    private static final Map<Integer, String> REASONS = Map.of(
            200,
            "OK",
            304,
            "Not Modified",
            400,
            "Bad Request",
            403,
            "Forbidden",
            404,
            "Not Found",
            405,
            "Method Not Allowed",
            431,
            "Request Header Fields Too Large",
            500,
            "Internal Server Error");
    /** The page's own policy, and directives that only a header can set. */
    private static final String POLICY =
            "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline';"
                    + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static final int BACKLOG = 50;
    /** Number of bytes of a refused request that are still read. */
    private static final long MOST_UNREAD = 1 << 20;

    private final ServerSocket listening;
    private final PageSource source;
    private final Limits limits;
    private final Set<String> hosts = new LinkedHashSet<>();
    private final Semaphore free;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final ExecutorService threads = Executors.newCachedThreadPool(daemon("watch"));
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(daemon("watch-clock"));

    /**
     * Limits of a server.
     *
     * @param connections number of open connections; further ones are closed without a response
     * @param time time limit of a connection
     */
    public record Limits(int connections, Duration time) {
        /** Enough for a few browsers. */
        public static final Limits USUAL = new Limits(16, Duration.ofSeconds(15));
    }

    /**
     * Starts a server on 127.0.0.1.
     *
     * @param port 0 for any free port, up to 65535
     * @param source creates the page
     * @param limits limits of the server
     * @throws IOException if the port is in use or reserved
     */
    public LoopbackServer(int port, PageSource source, Limits limits) throws IOException {
        this.source = source;
        this.limits = limits;
        free = new Semaphore(limits.connections());
        try {
            listening =
                    new ServerSocket(port, BACKLOG, InetAddress.getByAddress("localhost", new byte[] {127, 0, 0, 1}));
        } catch (BindException e) {
            throw new IOException(
                    "Port " + port + " is in use by another program, or it is reserved (" + e.getMessage()
                            + "): choose another port, or 0 for any free port",
                    e);
        }
        for (String name : new String[] {"127.0.0.1", "localhost", "[::1]"}) {
            hosts.add(name + ":" + port());
            if (port() == 80) {
                hosts.add(name);
            }
        }
        threads.execute(this::accept);
    }

    private static ThreadFactory daemon(String name) {
        return task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        };
    }

    /** Returns the port. */
    public int port() {
        return listening.getLocalPort();
    }

    /** Returns the URL of the page. */
    public URI address() {
        return URI.create("http://127.0.0.1:" + port() + "/");
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                Socket socket = listening.accept();
                if (free.tryAcquire()) {
                    open.add(socket);
                    threads.execute(() -> serve(socket));
                } else {
                    socket.close();
                }
            } catch (IOException e) {
                // The server is closed, or the client has disconnected, or there are no file handles at the moment.
                LockSupport.parkNanos(1_000_000);
            } catch (RejectedExecutionException e) {
                open.forEach(LoopbackServer::close);
            }
        }
    }

    private void serve(Socket socket) {
        try (socket;
                InputStream in = socket.getInputStream();
                OutputStream out = socket.getOutputStream()) {
            ScheduledFuture<?> end =
                    clock.schedule(() -> close(socket), limits.time().toMillis(), TimeUnit.MILLISECONDS);
            try {
                serve(in, out, socket);
            } finally {
                end.cancel(false);
            }
        } catch (IOException | RejectedExecutionException e) {
            // The browser has disconnected or was too slow, or the server is closed.
        } finally {
            open.remove(socket);
            free.release();
        }
    }

    private void serve(InputStream in, OutputStream out, Socket socket) throws IOException {
        try {
            Optional<Request> request = Request.read(in);
            if (request.isPresent()) {
                answer(request.get(), out);
            }
        } catch (Request.Refused e) {
            send(out, e.status(), "text/plain", e.getMessage() + "\n", Map.of(), true);
            socket.shutdownOutput();
            // Closing a connection with unread data would discard the response.
            in.skip(MOST_UNREAD);
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // It is already closed.
        }
    }

    private void answer(Request request, OutputStream out) throws IOException {
        request.check(hosts);
        boolean body = request.method().equals("GET");
        if (!request.target().equals("/")) {
            send(out, 404, "text/plain", "The only page here is " + address() + "\n", Map.of(), body);
            return;
        }
        String page;
        try {
            synchronized (source) {
                page = source.page();
            }
        } catch (IOException | RuntimeException e) {
            send(out, 500, "text/plain", "The page could not be created: " + e.getMessage() + "\n", Map.of(), body);
            return;
        }
        String tag = "\"" + Sha256.hex(page.getBytes(StandardCharsets.UTF_8)).substring(0, 32) + "\"";
        boolean known = request.values("if-none-match").contains(tag);
        send(out, known ? 304 : 200, "text/html", known ? "" : page, Map.of("ETag", tag), body);
    }

    private static void send(
            OutputStream out, int status, String type, String text, Map<String, String> more, boolean body)
            throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        Map<String, String> fields = new LinkedHashMap<>(more);
        if (status != 304) {
            fields.put("Content-Type", type + "; charset=utf-8");
            fields.put("Content-Length", "" + bytes.length);
        }
        if (status == 405) {
            fields.put("Allow", "GET, HEAD");
        }
        fields.put("Cache-Control", "no-store");
        fields.put("Content-Security-Policy", POLICY);
        fields.put("X-Content-Type-Options", "nosniff");
        fields.put("X-Frame-Options", "DENY");
        fields.put("Referrer-Policy", "no-referrer");
        fields.put("Cross-Origin-Resource-Policy", "same-origin");
        fields.put("Cross-Origin-Opener-Policy", "same-origin");
        fields.put("Connection", "close");
        StringBuilder head = new StringBuilder("HTTP/1.1 " + status + " " + REASONS.get(status) + "\r\n");
        fields.forEach(
                (name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
        out.write(head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
        if (body) {
            out.write(bytes);
        }
        out.flush();
    }

    /** Stops the server and closes open connections. */
    @Override
    public void close() throws IOException {
        listening.close();
        threads.shutdownNow();
        open.forEach(LoopbackServer::close);
        clock.shutdownNow();
    }
}
