// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** How an encoder is fed and run, for the commands that run one. An encoder of ours needs none of them. */
final class EncoderOptions {
    /** Those that mean nothing to a network that is trained further, which crops images in its own way. */
    static final String[] FIXED = Stream.concat(
                    EncoderSettings.NAMES.stream().filter(n -> !n.equals("image-size")),
                    Stream.of("provider", "encoder-batch", "session-option", "no-winograd"))
            .map(n -> "--" + n)
            .toArray(String[]::new);

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--image-size",
            paramLabel = "N",
            description = "Pixels of the encoder's input, such as 224, or rows x columns, 256x128.")
    private String imageSize;

    @Option(
            names = "--resize",
            paramLabel = "RULE",
            description = "short-side (then the centre is cut out), center-square or stretch.")
    private String resize;

    @Option(
            names = "--resize-short",
            paramLabel = "N",
            description = "Pixels that short-side makes the shorter side before the cut, such as 256.")
    private String resizeShort;

    @Option(
            names = "--interpolation",
            paramLabel = "FILTER",
            description = "bilinear, bicubic, lanczos, hamming, box or nearest.")
    private String interpolation;

    @Option(
            names = "--scale",
            paramLabel = "S",
            description = "What a value from 0 to 255 is multiplied by, such as 1/255.")
    private String scale;

    @Option(
            names = "--mean",
            paramLabel = "R,G,B",
            description = "Subtracted after scaling: one value, or one a channel.")
    private String mean;

    @Option(names = "--std", paramLabel = "R,G,B", description = "What the difference is divided by.")
    private String std;

    @Option(names = "--channels", paramLabel = "ORDER", description = "rgb, bgr or grey.")
    private String channels;

    @Option(names = "--layout", paramLabel = "L", description = "nchw or nhwc, where the file does not tell.")
    private String layout;

    @Option(names = "--input", paramLabel = "NAME", description = "The image's input, where there are several.")
    private String input;

    @Option(
            names = "--output",
            paramLabel = "NAMES",
            description = "The embedding's output: any value that the graph computes. Several, a,b, are concatenated.")
    private String output;

    @Option(
            names = "--pooling",
            paramLabel = "P",
            description =
                    "What becomes of tokens: class (the first), mean, or mean-patches (all but the first). class+mean"
                            + " concatenates both; class,mean is for two outputs, with none for one that has no tokens.")
    private String pooling;

    @Option(
            names = "--preprocessing",
            paramLabel = "FILE",
            description =
                    "JSON file with these settings, a preprocessor_config.json of Hugging Face, or a config of timm or OpenCLIP. Options win over it.")
    private Path preprocessing;

    @Option(
            names = "--provider",
            paramLabel = "P",
            description =
                    "What runs the encoder: cpu, cuda, tensorrt, coreml, directml, openvino or xnnpack, if this ONNX"
                            + " Runtime has it; cuda:1 names a device (default: cuda with --device gpu, else cpu).")
    private String provider;

    @Option(
            names = "--encoder-batch",
            paramLabel = "N",
            defaultValue = "0",
            description = "Images in one run of the encoder; 0 suits the machine (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(
            names = "--session-option",
            paramLabel = "KEY=VALUE",
            description =
                    "A session option of ONNX Runtime by its name, such as session.intra_op.allow_spinning=0; may be"
                            + " repeated.")
    private Map<String, String> sessionOptions = new LinkedHashMap<>();

    @Option(
            names = "--no-winograd",
            description =
                    "Do all multiplications of 3x3 convolutions. Otherwise about half of them are left out where that is"
                            + " faster: on the CPU, x86-64, in float32. Values differ by rounding.")
    private boolean direct;

    /** The options that were given, completed by the file that was named. */
    EncoderSettings settings() throws IOException {
        Map<String, String> map = new LinkedHashMap<>();
        for (String name : EncoderSettings.NAMES) {
            map.put(name, command.findOption("--" + name).getValue());
        }
        EncoderSettings given = EncoderSettings.of(map, "option");
        return preprocessing == null ? given : given.or(EncoderSettings.read(preprocessing));
    }

    /** How ONNX Runtime runs; a GPU that is asked for must not silently become a CPU. */
    RuntimeSettings runtime(GlobalOptions common) {
        String name = provider != null
                ? provider
                : common.device.startsWith("gpu") ? "cuda" + common.device.substring("gpu".length()) : "cpu";
        return runtime(common.threads, name);
    }

    /** The same for a command whose device is another matter: the CPU, unless a provider is named. */
    RuntimeSettings runtime(int threads) {
        return runtime(threads, provider != null ? provider : "cpu");
    }

    private RuntimeSettings runtime(int threads, String name) {
        return new RuntimeSettings(threads, name, batch, !direct, sessionOptions, null);
    }

    /** The settings as they go into the JSON file: value and source by name. */
    static Map<String, Object> json(EncoderSettings settings) {
        Map<String, Object> json = new LinkedHashMap<>();
        settings.values().forEach((k, v) -> json.put(k, Map.of("value", v.text(), "source", v.source())));
        return json;
    }

    /** One line on where each setting is from. */
    static String line(EncoderSettings settings) {
        StringBuilder line = new StringBuilder("encoder:");
        settings.values()
                .forEach((k, v) -> line.append(' ')
                        .append(k)
                        .append(' ')
                        .append(v.text())
                        .append(" (")
                        .append(v.source())
                        .append("),"));
        return line.substring(0, line.length() - 1);
    }
}
