// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.convert.CalibrationMethod;
import io.github.simclr4j.onnx.convert.CalibrationSettings;
import io.github.simclr4j.onnx.convert.Conversion;
import io.github.simclr4j.onnx.convert.Precision;
import io.github.simclr4j.onnx.file.ModelInspector;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs {@code simclr export}. */
@CommandLine.Command(
        name = "export",
        description = "Rewrites an encoder: in another precision, with another opset, without preprocessing, or"
                + " with preprocessing settings stored in the file.")
final class ExportCommand extends Command {
    private static final String[] CALIBRATING = {
        "--calibration",
        "--calibration-images",
        "--calibration-method",
        "--reduce-range",
        "--provider",
        "--session-option"
    };

    @Parameters(paramLabel = "ENCODER", description = "The encoder (ONNX).")
    Path encoder;

    @Option(names = "--out", paramLabel = "F", required = true, description = "Encoder to write (ONNX).")
    Path out;

    @Option(
            names = "--precision",
            paramLabel = "P",
            description = "float32, float16 or int8, from a float32 encoder (default: the precision of the encoder).")
    Precision precision;

    @Option(
            names = "--calibration",
            paramLabel = "SET",
            description = "Image set, in any form that pretrain accepts, on which int8 measures the ranges of"
                    + " activations; it should resemble the images to encode.")
    Path calibration;

    @Option(
            names = "--calibration-images",
            paramLabel = "N",
            defaultValue = "256",
            description = "Use at most N images for the calibration, chosen at random by the seed (default:"
                    + " ${DEFAULT-VALUE}).")
    int calibrationImages;

    @Option(
            names = "--calibration-method",
            paramLabel = "M",
            defaultValue = "mse",
            converter = Method.class,
            description = "How int8 chooses the ranges: mse, min-max or percentile (default: ${DEFAULT-VALUE}).")
    CalibrationMethod method;

    @Option(
            names = "--reduce-range",
            description = "Use int8 weights of 7 bits, for x86 processors without VNNI instructions, where sums of"
                    + " 8-bit products can overflow.")
    boolean reduceRange;

    @Mixin
    TableOptions tables;

    @Mixin
    EncoderOptions options;

    @Option(
            names = "--no-preprocessing",
            description = "Leave scaling and layout out of the graph: the input becomes float32 [batch, 3, size,"
                    + " size], normalised.")
    boolean noPreprocessing;

    @Option(
            names = "--opset",
            paramLabel = "N",
            defaultValue = "0",
            description = "ONNX opset, 13 to 26; 0 keeps the present one (default: ${DEFAULT-VALUE}).")
    int opset;

    /** Converts a method's name, written with a dash. */
    static final class Method implements picocli.CommandLine.ITypeConverter<CalibrationMethod> {
        @Override
        public CalibrationMethod convert(String value) {
            try {
                return CalibrationMethod.valueOf(value.toUpperCase(Locale.ROOT).replace('-', '_'));
            } catch (IllegalArgumentException e) {
                throw new picocli.CommandLine.TypeConversionException(
                        "expected mse, min-max or percentile, found " + value);
            }
        }
    }

    @Override
    boolean usesDevice() {
        return false;
    }

    @Override
    Map<String, Object> work() throws IOException {
        if (precision == Precision.INT8 && calibration == null) {
            throw new IllegalArgumentException(
                    "--precision int8 needs images for its calibration: give --calibration SET");
        }
        only(
                false,
                "for commands that choose their batch size; calibration takes one image at a time, or the batch "
                        + "size of the file",
                "--encoder-batch");
        only(false, "for commands that compute embeddings", "--no-winograd");
        only(precision == Precision.INT8, "with --precision int8, for its calibration", CALIBRATING);
        only(precision == Precision.INT8, "with --precision int8, for its calibration", TableOptions.NAMES);
        if (calibrationImages < 1) {
            throw new IllegalArgumentException("--calibration-images must be at least 1, found " + calibrationImages);
        }
        EncoderSettings settings = options.settings();
        replaceable(out);
        List<String> skipped = new ArrayList<>();
        Console console = new Console();
        long before;
        int calibrated = 0;
        try (ImageSource source = precision != Precision.INT8 ? null : open(calibration, tables, console)) {
            CalibrationSettings images = source == null
                    ? null
                    : new CalibrationSettings(
                            ImageSample.of(source, calibration, calibrationImages, common.seed, skipped), method,
                            options.runtime(common.threads), reduceRange);
            skipped.forEach(s -> console.warn("skipped " + s));
            calibrated = images == null ? 0 : images.images().size();
            // Hash the encoder now, because the new file may replace it.
            before = ModelInspector.check(encoder).bytes();
            new Conversion(precision, opset, !noPreprocessing, settings, images).apply(encoder, out);
        }
        ModelInspector.Report report = ModelInspector.check(out);
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("encoder", out.toString());
        json.put("from", encoder.toString());
        json.put("precision", report.precision());
        json.put("opset", report.opset());
        json.put("bytes", report.bytes());
        json.put("bytesBefore", before);
        json.put("calibrationImages", calibrated);
        json.put("skipped", skipped);
        json.put("seconds", seconds());
        System.out.printf(
                Locale.ROOT,
                "%s: %s, opset %d, %d bytes (before: %d)%n",
                out,
                report.precision(),
                report.opset(),
                report.bytes(),
                before);
        return json;
    }
}
