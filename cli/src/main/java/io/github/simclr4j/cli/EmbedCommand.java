// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.images.source.ImagesUnavailableException;
import io.github.simclr4j.onnx.runtime.EncoderPipeline;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.Provider;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Runs {@code simclr embed}. */
@CommandLine.Command(name = "embed", description = "Writes the features of images, one row per image.")
final class EmbedCommand extends Command {
    @Option(names = "--encoder", paramLabel = "E", description = "The encoder (ONNX).")
    Path encoder;

    @Option(names = "--images", paramLabel = "SET", description = "Image set, in any form that pretrain accepts.")
    Path images;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            required = true,
            description = "Feature file to write. Its ending selects the format. .csv: a header, then the path"
                    + " (archive.zip!member in an archive) and the features of each image; .npy: float32"
                    + " [images, dimension], with the paths in FILE.txt, one per line; .parquet: the columns"
                    + " path and features, a list of floats; .arff: Weka attributes for the path, each feature"
                    + " and, if the images have labels, the class; .jsonl: one object per line with path, label"
                    + " and embedding; .bulk.ndjson: the same objects as documents for the bulk API of"
                    + " Elasticsearch or OpenSearch.")
    Path out;

    @Option(
            names = "--shard",
            paramLabel = "I/N",
            description = "Embed only part I of N (from 1) of the images, chosen by a hash of their names, and"
                    + " write it to FILE.shard-I-of-N. The same command resumes an interrupted part. N"
                    + " processes, on one machine or several, share a set this way.")
    String part;

    @Option(
            names = "--merge",
            description = "Join the parts that --shard wrote beside FILE into FILE; takes neither --encoder nor"
                    + " --images, nor the options of these.")
    boolean merge;

    @Mixin
    TableOptions tables;

    @Mixin
    EncoderOptions options;

    /** Receives the result of each image. */
    private interface Rows {
        void add(EncoderPipeline.Item item) throws IOException;
    }

    @Override
    Map<String, Object> work() throws IOException {
        FeatureFile.ending(out);
        only(!merge, "without --merge", "--encoder", "--images", "--shard");
        only(!merge, "without --merge", EncoderOptions.NAMES);
        only(!merge, "without --merge", TableOptions.NAMES);
        options.checkDevice(this);
        if (merge) {
            return merge();
        }
        if (encoder == null || images == null) {
            throw new IllegalArgumentException(
                    "Missing required option: '" + (encoder == null ? "--encoder=E" : "--images=SET") + "'");
        }
        Shard shard = part == null ? null : Shard.parse(part);
        if (shard == null) {
            writableFeatures();
        } else {
            writable(shard.beside(out));
        }
        Console console = new Console();
        RuntimeSettings runtime = options.runtime(common);
        boolean cpu = Provider.of(runtime.provider()) == Provider.CPU;
        // On the CPU the pipeline's workers are the threads, so ONNX Runtime gets one.
        try (OnnxEncoder model = OnnxEncoder.open(encoder, options.settings(), cpu ? runtime.withThreads(1) : runtime);
                ImageSource source = open(images, tables, console)) {
            console.line(EncoderOptions.line(model.settings()));
            if (FeatureFile.hasLines(out)) {
                oneLineEach(source);
            }
            Map<String, Object> json =
                    shard == null ? whole(model, source, console) : part(shard, model, runtime, source, console);
            json.put("encoder", encoder.toString());
            json.put("encoderSha256", model.sha256());
            json.put("settings", EncoderOptions.json(model.settings()));
            json.put("seconds", seconds());
            return json;
        }
    }

    private void writableFeatures() throws IOException {
        writable(out);
        if (FeatureFile.namesBeside(out) != null) {
            writable(FeatureFile.namesBeside(out));
        }
    }

    private Map<String, Object> whole(OnnxEncoder model, ImageSource source, Console console) throws IOException {
        List<String> skipped = new ArrayList<>();
        int[] done = {0};
        ShutdownGuard guard = interruptible();
        List<String> classes = source.classes();
        try (FeatureFile file = FeatureFile.create(out, model.dimension(), classes, about(model.sha256()))) {
            encode(model, source, 0, source.size(), console, item -> {
                if (item.error() == null) {
                    file.add(item.name(), name(classes, label(source, item.index())), item.embedding());
                    done[0]++;
                } else {
                    skipped.add(item.error().getMessage());
                }
            });
            if (done[0] > 0) {
                file.finish();
            }
        } catch (CancellationException | ClosedByInterruptException e) {
            throw startsOver();
        } catch (IOException e) {
            throw unwritten(out, e);
        }
        guard.finishing();
        return result(console, skipped, done[0], model.dimension(), images.toString());
    }

    private Map<String, Object> part(
            Shard shard, OnnxEncoder model, RuntimeSettings runtime, ImageSource source, Console console)
            throws IOException {
        Path file = shard.beside(out);
        SetNames names = SetNames.of(source, images);
        int[] mine = shard.of(names.relative());
        ShardFile.Header header = new ShardFile.Header(
                shard,
                mine.length,
                names,
                source.classes(),
                Shard.listing(Shard.labels(source)),
                model.dimension(),
                model.sha256(),
                settings(model, runtime));
        List<String> skipped = new ArrayList<>();
        ShutdownGuard guard = interruptible();
        int before;
        int[] added = {0};
        int unreadable;
        try (ShardFile.Writer rows = new ShardFile.Writer(file, header, mine)) {
            before = rows.done();
            if (before > 0) {
                console.line("shard " + shard + ": continues after " + before + " of " + mine.length + " images");
            }
            try {
                if (before < mine.length) {
                    // The caller closes the source.
                    ImageSource rest = source.only(Arrays.copyOfRange(mine, before, mine.length));
                    encode(model, rest, before, mine.length, console, item -> {
                        String error =
                                item.error() == null ? null : item.error().getMessage();
                        int image = mine[before + item.index()];
                        String name = names.relative().get(image);
                        rows.add(new ShardFile.Row(image, name, label(source, image), item.embedding(), error));
                        added[0]++;
                        if (error != null) {
                            skipped.add(error);
                        }
                    });
                }
                rows.force();
            } catch (CancellationException e) {
                throw new InterruptedIOException("interrupted: " + file + " has " + (before + added[0]) + " of "
                        + mine.length + " images; the same command continues");
            } catch (ImagesUnavailableException e) {
                throw new IOException(
                        e.getMessage() + "; " + file + " has " + (before + added[0]) + " of " + mine.length
                                + " images, and the same command continues",
                        e);
            } catch (IOException e) {
                throw unwritten(file, e);
            }
            unreadable = rows.skipped() + skipped.size();
        }
        guard.finishing();
        skipped.forEach(s -> console.warn("skipped " + s));
        System.out.println(file + ": " + (mine.length - unreadable) + " images, " + model.dimension() + " features"
                + (unreadable == 0 ? "" : ", " + unreadable + " skipped") + "; embed --merge joins the shards");
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("features", file.toString());
        json.put("shard", shard.toString());
        json.put("images", mine.length - unreadable);
        json.put("computed", added[0]);
        json.put("dimension", model.dimension());
        json.put("skipped", skipped);
        return json;
    }

    /** Returns the index of an image's class, or {@link ShardFile#NO_LABEL} if it has none. */
    private static int label(ImageSource source, int image) {
        return source.label(image).orElse(ShardFile.NO_LABEL);
    }

    private static String name(List<String> classes, int label) {
        return label == ShardFile.NO_LABEL ? null : classes.get(label);
    }

    /** Returns what determines the features besides the encoder's file; the number of threads does not. */
    private static Map<String, String> settings(OnnxEncoder model, RuntimeSettings runtime) {
        Map<String, String> settings = new TreeMap<>();
        model.settings().values().forEach((name, value) -> settings.put(name, value.text()));
        settings.put("provider", runtime.provider().replaceAll(":\\d+$", ""));
        settings.put(ShardFile.WINOGRAD, String.valueOf(model.usesWinograd()));
        settings.put("batch", String.valueOf(runtime.batch()));
        runtime.options().forEach((name, value) -> settings.put("session." + name, value));
        return settings;
    }

    private Map<String, Object> merge() throws IOException {
        writableFeatures();
        Console console = new Console();
        List<String> skipped = new ArrayList<>();
        int done = 0;
        ShutdownGuard guard = interruptible();
        try (ShardMerge shards = new ShardMerge(out)) {
            ShardFile.Header header = shards.about();
            List<String> classes = header.classes();
            try (FeatureFile file = written(
                    () -> FeatureFile.create(out, header.dimension(), classes, about(header.encoderSha256())))) {
                console.start("merging shards", header.allImages());
                for (ShardFile.Row next = shards.next(); next != null; next = shards.next()) {
                    ShardFile.Row row = next;
                    if (row.error() == null) {
                        written(() -> {
                            file.add(row.name(), name(classes, row.label()), row.features());
                            return file;
                        });
                        done++;
                    } else {
                        skipped.add(row.error());
                    }
                    console.at(done + skipped.size(), "");
                }
                console.end();
                if (done > 0) {
                    written(() -> {
                        file.finish();
                        return file;
                    });
                }
            }
            guard.finishing();
            Map<String, Object> json = result(console, skipped, done, header.dimension(), "the shards of " + out);
            json.put("shards", shards.files().stream().map(Path::toString).toList());
            json.put("encoderSha256", header.encoderSha256());
            json.put("seconds", seconds());
            return json;
        }
    }

    /** One step of writing {@link #out}. */
    private interface Writing {
        FeatureFile run() throws IOException;
    }

    /** Runs a step, and reports its failure as a failure to write. */
    private FeatureFile written(Writing step) throws IOException {
        try {
            return step.run();
        } catch (ClosedByInterruptException e) {
            throw startsOver();
        } catch (IOException e) {
            throw unwritten(out, e);
        }
    }

    private InterruptedIOException startsOver() {
        return new InterruptedIOException("interrupted: " + out + " was not written; the same command starts over");
    }

    private Map<String, Object> result(Console console, List<String> skipped, int done, int dimension, String set)
            throws IOException {
        skipped.forEach(s -> console.warn("skipped " + s));
        if (done == 0) {
            throw new IOException("No readable image in " + set);
        }
        System.out.println(out + ": " + done + " images, " + dimension + " features"
                + (skipped.isEmpty() ? "" : ", " + skipped.size() + " skipped"));
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("features", out.toString());
        json.put("images", done);
        json.put("dimension", dimension);
        json.put("skipped", skipped);
        return json;
    }

    private static Map<String, String> about(String sha256) {
        return Map.of("simclr4j.encoder.sha256", sha256);
    }

    /** Reports a failure to write; an image that can't be read is an item with an error, not an exception. */
    private static IOException unwritten(Path file, IOException e) {
        return new IOException(
                "Can't write " + file + ": " + e.getMessage() + "; make room there, or choose another path", e);
    }

    /**
     * Encodes a source.
     *
     * @param before number of images that were done before
     * @param all number of images including those
     */
    private void encode(OnnxEncoder model, ImageSource source, int before, int all, Console console, Rows rows)
            throws IOException {
        boolean cpu = Provider.of(options.runtime(common).provider()) == Provider.CPU;
        try (EncoderPipeline pipeline =
                new EncoderPipeline(model, source, shareOut(model, cpu, common.threads), item -> {})) {
            console.start("embedding images", all);
            for (int i = before; pipeline.hasNext(); i++) {
                rows.add(pipeline.next());
                console.at(i + 1, "");
            }
            console.end();
        }
    }

    /**
     * Divides the work: CPU cores each decode and encode; other providers get full batches, prepared while they
     * compute.
     */
    static EncoderPipeline.Settings shareOut(OnnxEncoder model, boolean cpu, int threads) {
        EncoderPipeline.Settings cores = EncoderPipeline.Settings.onCores(threads, model);
        return cpu ? cores : new EncoderPipeline.Settings(cores.workers(), model.batch(), Math.min(2, cores.workers()));
    }

    /** Checks that no name contains a line break, because the names of an .npy file's rows are lines of a text file. */
    private void oneLineEach(ImageSource source) {
        for (int i = 0; i < source.size(); i++) {
            if (source.name(i).matches("(?s).*[\n\r].*")) {
                throw new IllegalArgumentException(
                        "The path '" + source.name(i) + "' contains a line break, which would make two rows in " + out
                                + ".txt: rename it, or write a .csv file");
            }
        }
    }
}
