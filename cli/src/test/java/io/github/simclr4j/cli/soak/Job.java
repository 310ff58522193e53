// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.soak;

import ai.onnx.proto.OnnxMl.ModelProto;
import com.google.protobuf.InvalidProtocolBufferException;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.loop.EncoderExport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * A command of some seconds, and what it writes: the same bytes in every run.
 *
 * @param name for tables
 * @param outputs names of the files that are compared
 * @param kept names of the files and folders that are there before the command is done, and from which it goes on
 * @param options of the command that writes into a folder
 */
record Job(String name, List<String> outputs, List<String> kept, Function<Path, List<Object>> options) {

    private static final String TUNED = "m.onnx";
    /** Shows how long the training took, so that it is never the same twice. It is written last of all. */
    static final String PAGE = "e.html";

    /**
     * Writes what commands read, and returns those that write something of each kind.
     *
     * @param dir gets drawn images of ten classes and an encoder of random weights
     */
    static List<Job> all(Path dir) throws IOException {
        Path images = dir.resolve("images");
        BuiltInImages.write(images, 100, 1);
        Path few = dir.resolve("few");
        BuiltInImages.write(few, 10, 2);
        Path encoder = Files.write(
                dir.resolve("encoder.onnx"),
                EncoderExport.untrained(new ResNet(18, 1.0 / 16, ResNet.Stem.CIFAR), BuiltInImages.SIZE, 9));
        Path zip = zip(images, dir.resolve("images.zip"));
        List<Object> embed = List.of("embed", "--encoder", encoder, "--images", images);
        List<Object> training = List.of("--width", "0.0625", "--image-size", "32", "--batch", "32");
        List<Object> pretrain =
                new ArrayList<>(List.of("pretrain", "--images", few, "--epochs", "3", "--checkpoint-minutes", "0.002"));
        pretrain.addAll(training);
        List<Object> study = new ArrayList<>(
                List.of("study", "grid", "--images", few, "--train", few, "--test", few, "--epochs", "2"));
        study.addAll(training);
        List<String> states = List.of("e.onnx.checkpoint", "metrics.jsonl");
        return List.of(
                new Job("embed, CSV", List.of("f.csv"), List.of(), f -> and(embed, "--out", f.resolve("f.csv"))),
                new Job(
                        "embed, a zip",
                        List.of("f.csv"),
                        List.of(),
                        f -> List.of("embed", "--encoder", encoder, "--images", zip, "--out", f.resolve("f.csv"))),
                new Job(
                        "embed, NPY",
                        List.of("f.npy", "f.npy.txt"),
                        List.of(),
                        f -> and(embed, "--out", f.resolve("f.npy"))),
                new Job(
                        "embed, Parquet",
                        List.of("f.parquet"),
                        List.of(),
                        f -> and(embed, "--out", f.resolve("f.parquet"))),
                new Job("embed, ARFF", List.of("f.arff"), List.of(), f -> and(embed, "--out", f.resolve("f.arff"))),
                new Job(
                        "embed, JSON lines",
                        List.of("f.jsonl"),
                        List.of(),
                        f -> and(embed, "--out", f.resolve("f.jsonl"))),
                new Job(
                        "embed, bulk",
                        List.of("f.bulk.ndjson"),
                        List.of(),
                        f -> and(embed, "--out", f.resolve("f.bulk.ndjson"))),
                new Job(
                        "embed, a shard",
                        List.of("f.csv.shard-1-of-2"),
                        List.of("f.csv.shard-1-of-2"),
                        f -> and(embed, "--out", f.resolve("f.csv"), "--shard", "1/2")),
                new Job(
                        "duplicates, report",
                        List.of("d.csv", "d.html"),
                        List.of(),
                        f -> List.of(
                                "duplicates",
                                "--encoder",
                                encoder,
                                "--images",
                                images,
                                "--out",
                                f.resolve("d.csv"),
                                "--report",
                                f.resolve("d.html"))),
                new Job("pretrain", List.of("e.onnx"), states, f -> and(pretrain, "--out", f.resolve("e.onnx"))),
                new Job(
                        "pretrain, report",
                        List.of("e.onnx"),
                        states,
                        f -> and(pretrain, "--out", f.resolve("e.onnx"), "--report", f.resolve(PAGE))),
                new Job(
                        "pretrain, streamed",
                        List.of("e.onnx"),
                        states,
                        f -> and(pretrain, "--out", f.resolve("e.onnx"), "--memory", "1", "--decoders", "1")),
                new Job(
                        "pretrain, teacher",
                        List.of("e.onnx"),
                        List.of("e.onnx.checkpoint", "metrics.jsonl", "cache"),
                        f -> and(
                                pretrain,
                                "--out",
                                f.resolve("e.onnx"),
                                "--method",
                                "distill",
                                "--teacher",
                                encoder,
                                "--teacher-cache",
                                f.resolve("cache"))),
                new Job(
                        "finetune",
                        List.of(TUNED),
                        List.of("m.onnx.checkpoint"),
                        f -> List.of(
                                "finetune",
                                "--encoder",
                                encoder,
                                "--train",
                                few,
                                "--out",
                                f.resolve(TUNED),
                                "--epochs",
                                "4",
                                "--batch",
                                "32")),
                new Job(
                        "study",
                        List.of("s/grid.csv"),
                        List.of("s"),
                        f -> and(study, "--out", f.resolve("s"), "--axis", "temperature=0.1,0.5")));
    }

    private static Path zip(Path folder, Path file) throws IOException {
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(file));
                Stream<Path> all = Files.walk(folder)) {
            for (Path image : all.filter(Files::isRegularFile).sorted().toList()) {
                out.putNextEntry(new ZipEntry(folder.relativize(image).toString()));
                Files.copy(image, out);
            }
        }
        return file;
    }

    private static List<Object> and(List<Object> some, Object... more) {
        List<Object> all = new ArrayList<>(some);
        all.addAll(Arrays.asList(more));
        return all;
    }

    /** Returns the command line. */
    Object[] command(Path folder) {
        return and(options.apply(folder), "--device", "cpu", "--threads", "1").toArray();
    }

    /** The outputs that are in a folder. */
    Map<String, byte[]> written(Path folder) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        for (String output : outputs) {
            if (Files.isRegularFile(folder.resolve(output))) {
                byte[] bytes = Files.readAllBytes(folder.resolve(output));
                files.put(output, output.equals(TUNED) ? withoutProvenance(bytes) : bytes);
            }
        }
        return files;
    }

    /** Tribuo's provenance has the time of the run. */
    private static byte[] withoutProvenance(byte[] model) {
        try {
            return ModelProto.parseFrom(model).toBuilder()
                    .clearMetadataProps()
                    .build()
                    .toByteArray();
        } catch (InvalidProtocolBufferException e) {
            // Something else is in its place.
            return model;
        }
    }

    /** Whether the page, if there is one, is there to its end. */
    static boolean isPageWhole(Path folder) throws IOException {
        Path page = folder.resolve(PAGE);
        return !Files.exists(page) || Files.readString(page).strip().endsWith("</html>");
    }

    /** Whether a file of the command's may be a part of what it is in the end. */
    boolean isKept(String output) {
        return kept.stream().anyMatch(k -> output.equals(k) || output.startsWith(k + "/"));
    }
}
