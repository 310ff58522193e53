// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.Provider;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.util.AtomicFiles;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ForkJoinPool;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Base class of the commands that explore an image set: they write a table and, on request, a page of thumbnails. */
abstract class ExploreCommand extends Command {
    @Option(names = "--encoder", paramLabel = "E", required = true, description = "The encoder (ONNX).")
    Path encoder;

    @Option(
            names = "--images",
            paramLabel = "SET",
            required = true,
            description = "Image set, in any form that pretrain accepts.")
    Path images;

    @Option(names = "--out", paramLabel = "FILE", required = true, description = "Table to write, FILE.csv.")
    Path out;

    @Option(
            names = "--report",
            paramLabel = "FILE",
            description = "Also write an HTML report with thumbnails, FILE.html; images that you tick in it can be"
                    + " saved as CSV.")
    Path report;

    @Mixin
    TableOptions tables;

    @Mixin
    EncoderOptions options;

    private OnnxEncoder model;
    private boolean cpu;

    /**
     * Searches the images.
     *
     * @param source the images, of which some may be read again
     * @param found features of the images
     * @param json receives the fields of the result beyond the common ones
     */
    abstract Findings explore(ImageSource source, EncodedImages found, Console console, Map<String, Object> json)
            throws IOException;

    /** Returns the heading of the report. */
    abstract String title();

    /** Returns one or two sentences for the report that explain the rows. */
    abstract String meaning();

    /** Checks the options of the command before anything is read. */
    void checkOptions() throws IOException {}

    /** Returns the images to read; closing them closes the source. */
    ImageSource prepared(ImageSource source) {
        return source;
    }

    /** Returns whether an image is used. */
    boolean takes(ImageSource source, int image) {
        return true;
    }

    /** Encodes further images with the same encoder. */
    final EncodedImages encode(ImageSource source, Path path, Console console) throws IOException {
        return EncodedImages.read(model, cpu, common.threads, source, i -> takes(source, i), path, console);
    }

    @Override
    final Map<String, Object> work() throws IOException {
        options.checkDevice(this);
        ending("--out", out, ".csv");
        writable(out);
        if (report != null) {
            ending("--report", report, ".html");
            writable(report);
        }
        checkOptions();
        Console console = new Console();
        RuntimeSettings runtime = options.runtime(common);
        cpu = Provider.of(runtime.provider()) == Provider.CPU;
        ShutdownGuard guard = interruptible();
        // On the CPU the pipeline's workers are the threads, so ONNX Runtime gets one.
        try (OnnxEncoder opened =
                        OnnxEncoder.open(encoder, options.settings(), cpu ? runtime.withThreads(1) : runtime);
                ImageSource source = prepared(open(images, tables, console))) {
            model = opened;
            console.line(EncoderOptions.line(model.settings()));
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("table", out.toString());
            EncodedImages found = encode(source, images, console);
            json.put("images", found.features().size());
            Findings findings = onThreads(() -> explore(source, found, console, json));
            json.put("rows", findings.rows().size());
            json.put("skipped", found.skipped());
            json.put("encoder", encoder.toString());
            json.put("encoderSha256", model.sha256());
            json.put("settings", EncoderOptions.json(model.settings()));
            String page = report == null ? null : ExploreReport.page(this, findings, source, found, json);
            guard.finishing();
            Map<Path, byte[]> files = new LinkedHashMap<>();
            if (report != null) {
                files.put(report, page.getBytes(StandardCharsets.UTF_8));
            }
            files.put(out, findings.csv().getBytes(StandardCharsets.UTF_8));
            AtomicFiles.write(files);
            if (report != null) {
                json.put("report", report.toString());
            }
            System.out.println(out + ": " + findings.rows().size() + " rows of "
                    + found.features().size() + " images"
                    + (found.skipped().isEmpty() ? "" : ", " + found.skipped().size() + " skipped")
                    + (report == null ? "" : "; report: " + report));
            json.put("seconds", seconds());
            return json;
        } catch (CancellationException e) {
            throw interrupted();
        } catch (IOException e) {
            // An interrupt makes reading and writing fail with various exceptions.
            throw Thread.currentThread().isInterrupted() ? interrupted() : e;
        }
    }

    private InterruptedIOException interrupted() {
        return new InterruptedIOException("interrupted: " + out + " was not written; the same command starts over");
    }

    /** Runs code that uses parallel streams on the number of threads that was requested. */
    private <T> T onThreads(Callable<T> task) throws IOException {
        ForkJoinPool pool = new ForkJoinPool(
                common.threads > 0 ? common.threads : Runtime.getRuntime().availableProcessors());
        try {
            return pool.submit(task).get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("Interrupted while images were compared");
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            // The pool wraps checked exceptions, and rethrows others as the cause of a new exception of the same type.
            while (cause.getCause() != null
                    && (cause.getClass() == RuntimeException.class
                            || cause.getCause().getClass() == cause.getClass())) {
                cause = cause.getCause();
            }
            if (cause instanceof IOException io) {
                throw io;
            }
            if (cause instanceof RuntimeException wrong) {
                throw wrong;
            }
            if (cause instanceof Error error) {
                throw error;
            }
            throw new IllegalStateException(cause.getMessage(), cause);
        } finally {
            pool.shutdownNow();
        }
    }
}
