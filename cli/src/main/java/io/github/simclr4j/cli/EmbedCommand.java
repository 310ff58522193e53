package io.github.simclr4j.cli;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.runtime.EncoderPipeline;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.Provider;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.util.TemporaryFile;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code simclr embed}. */
@CommandLine.Command(name = "embed", description = "Writes the features of images, a row an image.")
final class EmbedCommand extends Command {
    /** Bytes of an .npy file's header, a multiple of 64: the numbers of rows and columns have at most 10 digits each. */
    private static final int NPY_HEADER = 128;

    @Option(names = "--encoder", paramLabel = "E", required = true, description = "The encoder (ONNX).")
    Path encoder;

    @Option(names = "--images", paramLabel = "SET", required = true, description = "Images: whatever pretrain takes.")
    Path images;

    @Option(names = "--out", paramLabel = "FILE", required = true,
            description = "features.csv: a header, then the path (archive.zip!member in an archive) and the features of each"
                    + " image; or features.npy: float32 [images, dimension], with the paths in features.npy.txt, a line a row.")
    Path out;

    @Mixin
    TableOptions tables;

    @Mixin
    EncoderOptions options;

    @Override
    Map<String, Object> work() throws IOException {
        String name = out.toString().toLowerCase(Locale.ROOT);
        boolean npy = name.endsWith(".npy");
        if (!npy && !name.endsWith(".csv")) {
            throw new IllegalArgumentException("--out must end in .csv or .npy, found " + out);
        }
        writable(out);
        if (npy) {
            writable(names());
        }
        Console console = new Console();
        RuntimeSettings runtime = options.runtime(common);
        boolean cpu = Provider.of(runtime.provider()) == Provider.CPU;
        // On the CPU the pipeline's workers are the threads.
        try (OnnxEncoder model = OnnxEncoder.open(encoder, options.settings(), cpu ? runtime.withThreads(1) : runtime);
                ImageSource source = open(images, tables, console)) {
            console.line(EncoderOptions.line(model.settings()));
            if (npy) {
                oneLineEach(source);
            }
            List<String> skipped = new ArrayList<>();
            List<String> done = new ArrayList<>();
            ShutdownGuard guard = interruptible();
            try (TemporaryFile part = TemporaryFile.beside(out)) {
                OutputStream rows = part.stream();
                try (EncoderPipeline pipeline = new EncoderPipeline(model, source, shareOut(model, cpu, common.threads),
                                item -> skipped.add(item.error().getMessage()))) {
                    // How many rows an .npy file has is known in the end.
                    rows.write(npy ? npyHeader(0, model.dimension()) : header(model.dimension()));
                    console.start("embed", source.size());
                    while (pipeline.hasNext()) {
                        EncoderPipeline.Item item = pipeline.next();
                        if (item.error() == null) {
                            rows.write(row(item, npy));
                            done.add(item.name());
                        }
                        console.at(done.size() + skipped.size(), "");
                    }
                    console.end();
                }
                if (!done.isEmpty()) {
                    finish(part, npy, done, model.dimension());
                }
            } catch (CancellationException | ClosedByInterruptException e) {
                throw new InterruptedIOException("interrupted: " + out + " was not written; the same command begins anew");
            } catch (IOException e) {
                // An image that can't be read is an item: what is left is writing.
                throw new IOException(
                        "Can't write " + out + ": " + e.getMessage() + "; make room there, or choose another path", e);
            }
            guard.finishing();
            skipped.forEach(s -> console.warn("skipped " + s));
            if (done.isEmpty()) {
                throw new IOException("No readable image in " + images);
            }
            System.out.println(out + ": " + done.size() + " images, " + model.dimension() + " features"
                    + (skipped.isEmpty() ? "" : ", " + skipped.size() + " skipped"));
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("features", out.toString());
            json.put("images", done.size());
            json.put("dimension", model.dimension());
            json.put("skipped", skipped);
            json.put("encoder", encoder.toString());
            json.put("encoderSha256", model.sha256());
            json.put("settings", EncoderOptions.json(model.settings()));
            json.put("seconds", seconds());
            return json;
        }
    }

    /** On the CPU each core decodes and encodes for itself; another provider gets whole batches, the next while it works. */
    static EncoderPipeline.Settings shareOut(OnnxEncoder model, boolean cpu, int threads) {
        EncoderPipeline.Settings cores = EncoderPipeline.Settings.onCores(threads, model);
        return cpu ? cores : new EncoderPipeline.Settings(cores.workers(), model.batch(), Math.min(2, cores.workers()));
    }

    private static byte[] row(EncoderPipeline.Item item, boolean npy) {
        float[] features = item.embedding();
        if (npy) {
            ByteBuffer b = ByteBuffer.allocate(4 * features.length).order(ByteOrder.LITTLE_ENDIAN);
            b.asFloatBuffer().put(features);
            return b.array();
        }
        StringBuilder row = new StringBuilder(quote(item.name()));
        for (float f : features) {
            row.append(',').append(f);
        }
        return row.append('\n').toString().getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] header(int dimension) {
        StringBuilder head = new StringBuilder("path");
        for (String name : io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor.names("h", dimension)) {
            head.append(',').append(name);
        }
        return head.append('\n').toString().getBytes(StandardCharsets.UTF_8);
    }

    static String quote(String path) {
        return path.matches("(?s).*[\",\n\r].*") ? '"' + path.replace("\"", "\"\"") + '"' : path;
    }

    /** The names of an .npy file's rows have a line each. */
    private void oneLineEach(ImageSource source) {
        for (int i = 0; i < source.size(); i++) {
            if (source.name(i).matches("(?s).*[\n\r].*")) {
                throw new IllegalArgumentException("The path '" + source.name(i) + "' has a line break, which would be two rows"
                        + " in " + out + ".txt: rename it, or write a .csv file");
            }
        }
    }

    /** NumPy's format 1.0: magic, version, length of the header, header padded to 128 bytes for any number of rows. */
    private static byte[] npyHeader(int rows, int dimension) {
        String head = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + rows + ", " + dimension + "), }";
        head += " ".repeat(NPY_HEADER - 11 - head.length()) + "\n";
        ByteBuffer prefix = ByteBuffer.allocate(NPY_HEADER).order(ByteOrder.LITTLE_ENDIAN);
        prefix.put((byte) 0x93).put("NUMPY".getBytes(StandardCharsets.US_ASCII)).put((byte) 1).put((byte) 0);
        return prefix.putShort((short) head.length()).put(head.getBytes(StandardCharsets.US_ASCII)).array();
    }

    /** Puts the features in their place and, for an .npy file, the paths of the rows. */
    private void finish(TemporaryFile rows, boolean npy, List<String> done, int dimension) throws IOException {
        if (!npy) {
            rows.force();
            rows.moveTo(out);
            return;
        }
        rows.overwrite(0, ByteBuffer.wrap(npyHeader(done.size(), dimension)));
        rows.force();
        Path names = names();
        try (TemporaryFile lines = TemporaryFile.beside(names)) {
            lines.write(ByteBuffer.wrap(
                    done.stream().map(p -> p + "\n").collect(Collectors.joining()).getBytes(StandardCharsets.UTF_8)));
            lines.force();
            // Both are whole before either replaces what was there.
            rows.moveTo(out);
            lines.moveTo(names);
        }
    }

    /** Where the paths of an .npy file's rows go. */
    private Path names() {
        return out.resolveSibling(out.getFileName() + ".txt");
    }
}
