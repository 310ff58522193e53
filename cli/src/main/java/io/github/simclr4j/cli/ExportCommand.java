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

/** {@code simclr export}. */
@CommandLine.Command(
        name = "export",
        description = "Writes an encoder anew: in another precision, with another opset, without"
                + " preprocessing, with settings inside that its users had to give.")
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

    @Option(names = "--out", paramLabel = "F", required = true, description = "The new encoder (ONNX).")
    Path out;

    @Option(
            names = "--precision",
            paramLabel = "P",
            description =
                    "float32, float16 or int8, of a float32 encoder (default: the encoder's own, whatever it is).")
    Precision precision;

    @Option(
            names = "--calibration",
            paramLabel = "SET",
            description =
                    "Images, whatever pretrain takes, that int8 finds the ranges of activations on, alike to those that it"
                            + " will see.")
    Path calibration;

    @Option(
            names = "--calibration-images",
            paramLabel = "N",
            defaultValue = "256",
            description = "At most N of them, chosen by the seed (default: ${DEFAULT-VALUE}).")
    int calibrationImages;

    @Option(
            names = "--calibration-method",
            paramLabel = "M",
            defaultValue = "mse",
            converter = Method.class,
            description = "mse, min-max or percentile (default: ${DEFAULT-VALUE}).")
    CalibrationMethod method;

    @Option(
            names = "--reduce-range",
            description = "int8 weights of 7 bits, for x86 processors without VNNI instructions,"
                    + " on which sums of 8-bit products can overflow.")
    boolean reduceRange;

    @Mixin
    TableOptions tables;

    @Mixin
    EncoderOptions options;

    @Option(
            names = "--no-preprocessing",
            description = "Leave scaling and layout out of the graph: the input becomes float32"
                    + " [batch, 3, size, size], normalised.")
    boolean noPreprocessing;

    @Option(
            names = "--opset",
            paramLabel = "N",
            defaultValue = "0",
            description = "Version of ONNX's operators, 13 to 26; 0 leaves it (default: ${DEFAULT-VALUE}).")
    int opset;

    /** Reads a method's name with a dash. */
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
            throw new IllegalArgumentException("--precision int8 needs --calibration SET, some images");
        }
        only(
                false,
                "where a command chooses its batches; calibration takes an image at a time, or as many as the file fixes",
                "--encoder-batch");
        only(false, "where images become embeddings", "--no-winograd");
        only(precision == Precision.INT8, "with --precision int8, for its calibration", CALIBRATING);
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
            // Now: the new file may take the old one's place.
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
