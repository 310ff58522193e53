// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.file.ModelInspector;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Parameters;

/** Runs {@code simclr inspect}. */
@CommandLine.Command(
        name = "inspect",
        description = "Shows what an encoder file contains, whether it is sound, and how it was trained.")
final class InspectCommand extends Command {
    private static final int MOST_PROBLEMS = 10;

    @Parameters(paramLabel = "E", description = "The encoder (ONNX).")
    Path encoder;

    @Override
    boolean usesDevice() {
        return false;
    }

    @Override
    Map<String, Object> work() throws IOException {
        ModelInspector.Report report = ModelInspector.check(encoder);
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("sound", report.problems().isEmpty());
        json.put("problems", report.problems());
        json.put("warnings", report.warnings());
        json.put("inputs", report.inputs());
        json.put("outputs", report.outputs());
        json.put(
                "parameters",
                report.values().values().stream().mapToLong(Long::longValue).sum());
        json.put("precision", report.precision());
        json.put("opset", report.opset());
        json.put("irVersion", report.irVersion());
        json.put("producer", report.producer());
        json.put("operators", report.operators());
        json.put("bytes", report.bytes());
        json.put("encoder", encoder.toString());
        json.put("encoderSha256", sha256());
        json.put("random", report.random());
        json.put("checksum", report.checksum().name().toLowerCase(Locale.ROOT));
        json.put("metadata", report.metadata());
        System.out.println(encoder + (report.problems().isEmpty() ? ": sound" : ": NOT sound"));
        report.problems().stream().limit(MOST_PROBLEMS).forEach(p -> System.out.println("  problem     " + p));
        if (report.problems().size() > MOST_PROBLEMS) {
            System.out.println("  problem     and " + (report.problems().size() - MOST_PROBLEMS)
                    + " more: --json FILE writes all of them");
        }
        report.random().forEach(r -> System.out.println("  random      " + r));
        if (!report.random().isEmpty()) {
            System.out.println(
                    "  random      its features differ from run to run, so no command accepts it: export it in "
                            + "eval mode");
        }
        report.warnings().forEach(w -> System.out.println("  unchecked   " + w));
        ports("input", report.inputs());
        ports("output", report.outputs());
        System.out.println("  parameters  " + json.get("parameters") + " " + report.values());
        System.out.println("  precision   " + report.precision());
        System.out.printf(Locale.ROOT, "  size        %.2f MB%n", report.bytes() / 1e6);
        System.out.println("  opset       " + report.opset() + ", IR version " + report.irVersion());
        System.out.println("  producer    " + report.producer());
        System.out.println("  operators   " + report.operators());
        System.out.println("  checksum    "
                + switch (report.checksum()) {
                    case NONE -> "none";
                    case MATCHES -> "matches";
                    case DIFFERS -> "DIFFERS: the file was changed after it was written";
                });
        System.out.println("  SHA-256     " + json.get("encoderSha256"));
        report.metadata().forEach((k, v) -> System.out.printf("  %-26s %s%n", k, v));
        if (!report.problems().isEmpty()) {
            throw new CheckFailed(encoder + " is not sound: " + report.summary(), json);
        }
        return json;
    }

    /** Returns the SHA-256 of the file and its external data, or of the file alone if the data can't be found. */
    private String sha256() throws IOException {
        try {
            return OnnxEncoder.sha256(encoder);
        } catch (InvalidEncoderException e) {
            return Sha256.hex(Files.readAllBytes(encoder));
        }
    }

    private static void ports(String kind, List<ModelInspector.Port> ports) {
        ports.forEach(p -> System.out.printf("  %-11s %s: %s %s%n", kind, p.name(), p.type(), p.shape()));
    }
}
