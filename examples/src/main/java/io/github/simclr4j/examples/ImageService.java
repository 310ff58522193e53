// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.examples;

import com.google.gson.Gson;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Serves one ONNX file over HTTP and answers a POSTed image file with JSON. A classifier, which has {@code class_names} in its
 * metadata (as {@code EncodedModel.saveONNXModel} writes it), gives a score for each class. Any other encoder gives features.
 *
 * @since 0.1.0
 */
public final class ImageService implements AutoCloseable {
    private static final int MAX_BYTES = 10 << 20;
    private static final int CONNECTIONS = 32;
    private static final int WAIT_SECONDS = 5;
    private static final Gson GSON = new Gson();

    private final OnnxEncoder encoder;
    private final String[] classes;
    private final int atOnce;
    private final Semaphore encoding;
    private final ExecutorService threads = Executors.newFixedThreadPool(CONNECTIONS);
    private final HttpServer server;

    /**
     * Opens the file, runs it a few times, and starts the server.
     *
     * @param file the ONNX file
     * @param port the port, 0 for any free port
     * @param threadsEach threads of one request, at least 1; the number of requests that are computed at the same time is the number
     *     of cores divided by this
     * @throws IOException if the file is not an encoder, or the port is in use
     */
    public ImageService(Path file, int port, int threadsEach) throws IOException {
        server = HttpServer.create(new InetSocketAddress(port), 0); // fails if the port is in use
        encoder = OnnxEncoder.open(file, EncoderSettings.none(), RuntimeSettings.DEFAULT.withThreads(threadsEach));
        classes = GSON.fromJson(encoder.metadata().get("class_names"), String[].class);
        atOnce = Math.max(1, Runtime.getRuntime().availableProcessors() / threadsEach);
        encoding = new Semaphore(atOnce, true);
        for (int i = 0; i < 3; i++) { // warm-up
            encoder.embed(List.of(new RgbImage(256, 256, new byte[3 * 256 * 256])));
        }
        server.setExecutor(threads);
        server.createContext("/", this::answer);
        server.start();
    }

    /**
     * Returns the port of the server.
     *
     * @return the port
     */
    public int port() {
        return server.getAddress().getPort();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            if (!exchange.getRequestMethod().equals("POST")) {
                send(exchange, 405, Map.of("error", "POST an image file"));
                return;
            }
            byte[] file = exchange.getRequestBody().readNBytes(MAX_BYTES + 1);
            if (file.length > MAX_BYTES) {
                send(exchange, 413, Map.of("error", "The image has more than " + MAX_BYTES + " bytes"));
            } else if (!encoding.tryAcquire(WAIT_SECONDS, TimeUnit.SECONDS)) {
                send(exchange, 503, Map.of("error", "Too many requests, try again"));
            } else {
                try {
                    compute(exchange, file);
                } finally {
                    encoding.release();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void compute(HttpExchange exchange, byte[] file) throws IOException {
        RgbImage image;
        try {
            image = Images.read(file);
        } catch (IOException e) {
            send(exchange, 400, Map.of("error", String.valueOf(e.getMessage())));
            return;
        }
        float[] values = encoder.embed(List.of(image))[0];
        send(exchange, 200, classes == null ? Map.of("features", values) : Map.of("scores", byClass(values)));
    }

    private Map<String, Float> byClass(float[] scores) {
        Map<String, Float> named = new LinkedHashMap<>();
        for (int i = 0; i < classes.length; i++) {
            named.put(classes[i], scores[i]);
        }
        return named;
    }

    private static void send(HttpExchange exchange, int status, Map<String, ?> result) throws IOException {
        byte[] json = GSON.toJson(result).getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, json.length);
        exchange.getResponseBody().write(json);
    }

    /** Lets requests in progress finish for up to five seconds, then frees the native memory. */
    @Override
    public void close() {
        try {
            encoding.tryAcquire(atOnce, WAIT_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        server.stop(0);
        threads.shutdownNow();
        encoder.close();
    }

    /** Serves until the process ends: arguments are the ONNX file, the port, and threads for each request (1 by default). */
    public static void main(String[] args) throws IOException {
        ImageService service = new ImageService(
                Path.of(args[0]), Integer.parseInt(args[1]), args.length > 2 ? Integer.parseInt(args[2]) : 1);
        Runtime.getRuntime().addShutdownHook(new Thread(service::close));
        System.out.println("Listening on port " + service.port());
    }
}
