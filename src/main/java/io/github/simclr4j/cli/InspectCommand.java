package io.github.simclr4j.cli;

import io.github.simclr4j.onnx.OnnxEncoder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code simclr inspect}. */
@Command(name = "inspect", description = "Says what an encoder file is and how it was trained.")
final class InspectCommand extends Work {
    @Parameters(paramLabel = "E", description = "The encoder (ONNX).")
    Path encoder;

    @Override
    Map<String, Object> work() throws IOException {
        try (OnnxEncoder model = OnnxEncoder.open(encoder, common.threads)) {
            int size = model.preprocessing().size();
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("inputs", List.of(value(OnnxEncoder.INPUT, "uint8", "batch", size, size, 3)));
            json.put("outputs", List.of(value(OnnxEncoder.OUTPUT, "float32", "batch", model.dimension())));
            json.put("parameters", model.parameters());
            json.put("encoder", encoder.toString());
            json.put("encoderSha256", model.sha256());
            json.put("metadata", model.metadata());
            System.out.println(encoder);
            System.out.println("  input       " + json.get("inputs"));
            System.out.println("  output      " + json.get("outputs"));
            System.out.println("  parameters  " + model.parameters());
            System.out.println("  SHA-256     " + model.sha256());
            model.metadata().forEach((k, v) -> System.out.printf("  %-26s %s%n", k, v));
            return json;
        }
    }

    private static Map<String, Object> value(String name, String type, Object... shape) {
        Map<String, Object> v = new LinkedHashMap<>();
        v.put("name", name);
        v.put("type", type);
        v.put("shape", List.of(shape));
        return v;
    }
}
