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

/** Options for the input and the execution of an encoder. An encoder that pretrain wrote needs none of them. */
final class EncoderOptions {
    /** Options that do not apply to a network that is trained further, because training crops images in its own way. */
    static final String[] FIXED = Stream.concat(
                    EncoderSettings.NAMES.stream().filter(n -> !n.equals("image-size")),
                    Stream.of("provider", "encoder-batch", "session-option", "no-winograd"))
            .map(n -> "--" + n)
            .toArray(String[]::new);

    /** The names of all these options. */
    static final String[] NAMES = Stream.concat(Stream.of("--image-size", "--preprocessing"), Stream.of(FIXED))
            .toArray(String[]::new);

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--image-size",
            paramLabel = "N",
            description = "Input size in pixels: one side, such as 224, or rows x columns, such as 256x128.")
    private String imageSize;

    @Option(
            names = "--resize",
            paramLabel = "RULE",
            description = "How images are resized: short-side (then cropped at the centre), center-square or stretch.")
    private String resize;

    @Option(
            names = "--resize-short",
            paramLabel = "N",
            description = "Length of the shorter side in pixels after short-side resizing and before the crop, such"
                    + " as 256.")
    private String resizeShort;

    @Option(
            names = "--interpolation",
            paramLabel = "FILTER",
            description = "Interpolation for resizing: bilinear, bicubic, lanczos, hamming, box or nearest.")
    private String interpolation;

    @Option(
            names = "--scale",
            paramLabel = "S",
            description = "Factor that pixel values from 0 to 255 are multiplied by, such as 1/255.")
    private String scale;

    @Option(
            names = "--mean",
            paramLabel = "R,G,B",
            description = "Mean that is subtracted after scaling: one value, or one per channel.")
    private String mean;

    @Option(
            names = "--std",
            paramLabel = "R,G,B",
            description = "Standard deviation that the difference is divided by: one value, or one per channel.")
    private String std;

    @Option(names = "--channels", paramLabel = "ORDER", description = "Channel order: rgb, bgr or grey.")
    private String channels;

    @Option(
            names = "--layout",
            paramLabel = "L",
            description = "Layout of the input, nchw or nhwc, if the file does not tell.")
    private String layout;

    @Option(
            names = "--input",
            paramLabel = "NAME",
            description = "Name of the image input, if the file has several inputs.")
    private String input;

    @Option(
            names = "--output",
            paramLabel = "NAMES",
            description = "Name of the embedding output: any value that the graph computes. Several outputs, a,b,"
                    + " are concatenated.")
    private String output;

    @Option(
            names = "--pooling",
            paramLabel = "P",
            description = "How tokens are pooled: class (the first token), mean, or mean-patches (all but the"
                    + " first). class+mean concatenates both; class,mean is for two outputs, with none for an"
                    + " output without tokens.")
    private String pooling;

    @Option(
            names = "--preprocessing",
            paramLabel = "FILE",
            description = "JSON file with the settings above, a preprocessor_config.json of Hugging Face, or a"
                    + " config of timm or OpenCLIP. Options override it.")
    private Path preprocessing;

    @Option(
            names = "--provider",
            paramLabel = "P",
            description = "ONNX Runtime execution provider that runs the encoder: cpu, cuda, tensorrt, coreml,"
                    + " directml, openvino or xnnpack, if this ONNX Runtime includes it; cuda:1 selects a"
                    + " device (default: cuda with --device gpu, else cpu).")
    private String provider;

    @Option(
            names = "--encoder-batch",
            paramLabel = "N",
            defaultValue = "0",
            description = "Batch size of the encoder; 0 chooses one for the machine (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(
            names = "--session-option",
            paramLabel = "KEY=VALUE",
            description = "ONNX Runtime session option by its name, such as session.intra_op.allow_spinning=0; may"
                    + " be repeated.")
    private Map<String, String> sessionOptions = new LinkedHashMap<>();

    @Option(
            names = "--no-winograd",
            description = "Do not use Winograd convolution. By default 3x3 convolutions in float32 on x86-64 CPUs"
                    + " use it where it is faster: it saves about half of their multiplications, and values"
                    + " differ by rounding.")
    private boolean direct;

    /** Refuses a device beside a provider, by which the encoder would run elsewhere. */
    void checkDevice(Command user) {
        user.only(provider == null, "without --provider, which names the device of the encoder", "--device");
    }

    /** Returns the given options, completed by the file of {@code --preprocessing}. */
    EncoderSettings settings() throws IOException {
        Map<String, String> map = new LinkedHashMap<>();
        for (String name : EncoderSettings.NAMES) {
            map.put(name, command.findOption("--" + name).getValue());
        }
        EncoderSettings given = EncoderSettings.of(map, "option");
        return preprocessing == null ? given : given.or(EncoderSettings.read(preprocessing));
    }

    /** Returns the settings of ONNX Runtime; a requested GPU never silently becomes a CPU. */
    RuntimeSettings runtime(GlobalOptions common) {
        String name = provider != null
                ? provider
                : common.device.startsWith("gpu") ? "cuda" + common.device.substring("gpu".length()) : "cpu";
        return runtime(common.threads, name);
    }

    /**
     * Returns the settings of ONNX Runtime for a command that ignores the device: the CPU, unless a provider is given.
     */
    RuntimeSettings runtime(int threads) {
        return runtime(threads, provider != null ? provider : "cpu");
    }

    private RuntimeSettings runtime(int threads, String name) {
        return new RuntimeSettings(threads, name, batch, !direct, sessionOptions, null);
    }

    /** Returns the settings for the JSON file: value and source by name. */
    static Map<String, Object> json(EncoderSettings settings) {
        Map<String, Object> json = new LinkedHashMap<>();
        settings.values().forEach((k, v) -> json.put(k, Map.of("value", v.text(), "source", v.source())));
        return json;
    }

    /** Returns one line with each setting and its source. */
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
