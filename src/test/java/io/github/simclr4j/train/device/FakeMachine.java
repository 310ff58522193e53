// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.device;

import ai.djl.engine.EngineException;
import io.github.simclr4j.train.torch.Torch.Library;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;

/** A machine without a GPU and with nothing but DJL's binding, until a test says otherwise. */
final class FakeMachine implements Environment {
    static final Path CACHE = Path.of("/home/ann/.djl.ai/pytorch");
    static final String JAR = "/lib/pytorch-native-cpu-2.7.1-linux-x86_64.jar";

    final Map<String, String> variables = new HashMap<>();
    final Map<Path, String> files = new HashMap<>();
    final Map<Integer, String> problems = new HashMap<>();
    String system = "linux-x86_64";
    String header;
    String gpus;
    int code;
    boolean oldSmi;
    boolean onClassPath;
    boolean offline = true;
    boolean reachable;
    /** Whether libtorch's CUDA finds a device. */
    boolean works = true;

    int loads;

    FakeMachine driver(String version, String cuda, String... lines) {
        header = "| NVIDIA-SMI " + version + "   Driver Version: " + version + "   CUDA Version: " + cuda + " |\n";
        gpus = String.join("\n", lines) + "\n";
        return this;
    }

    FakeMachine says(int exit, String text) {
        header = text;
        gpus = text;
        code = exit;
        return this;
    }

    FakeMachine libtorch(Path folder, boolean cuda) {
        files.put(folder.resolve("libtorch.so"), "");
        files.put(folder.resolve("libtorch_cpu.so"), "");
        if (cuda) {
            files.put(folder.resolve("libtorch_cuda.so"), "");
        }
        return this;
    }

    @Override
    public String variable(String name) {
        return variables.get(name);
    }

    @Override
    public String system() {
        return system;
    }

    @Override
    public List<String> list(Path folder) {
        TreeSet<String> names = new TreeSet<>();
        for (Path f : files.keySet()) {
            if (f.startsWith(folder) && !f.equals(folder)) {
                names.add(folder.relativize(f).getName(0).toString());
            }
        }
        return List.copyOf(names);
    }

    @Override
    public String read(Path file) {
        return files.get(file);
    }

    @Override
    public void delete(Path folder) {
        files.keySet().removeIf(f -> f.startsWith(folder));
    }

    @Override
    public Output run(String... command) {
        if (!command[0].equals("nvidia-smi") || header == null) {
            return new Output(-1, "no such program");
        }
        if (command.length == 1) {
            return new Output(code, header);
        }
        if (oldSmi && command[1].contains("compute_cap")) {
            return new Output(2, "Field \"mig.mode.current\" is not a valid field to query.");
        }
        return new Output(code, gpus);
    }

    @Override
    public Map<String, Properties> resources(String name) {
        Properties p = new Properties();
        if (name.equals("jnilib/pytorch.properties")) {
            p.setProperty("jni_version", "2.7.1-0.36.0");
            return Map.of("jar:file:/lib/pytorch-jni-2.7.1-0.36.0.jar!/" + name, p);
        }
        if (!onClassPath) {
            return Map.of();
        }
        p.setProperty("flavor", "cpu");
        p.setProperty("version", "2.7.1-20250812");
        return Map.of("jar:file:" + JAR + "!/" + name, p);
    }

    @Override
    public Path cache() {
        return CACHE;
    }

    @Override
    public boolean offline() {
        return offline;
    }

    @Override
    public void flavour(String flavour) {
        variables.put("PYTORCH_FLAVOR", flavour);
    }

    @Override
    public Library load() {
        loads++;
        String named = variables.get("PYTORCH_LIBRARY_PATH");
        Path folder;
        if (named != null) {
            folder = Path.of(named);
        } else if (onClassPath) {
            folder = CACHE.resolve("2.7.1-20250812-cpu-linux-x86_64");
        } else {
            // Without the variable DJL goes by the CUDA runtime, and there is none.
            folder = CACHE.resolve("2.7.1-" + variables.getOrDefault("PYTORCH_FLAVOR", "cpu") + "-" + system);
            if (!list(folder).contains("libtorch.so")) {
                if (offline || !reachable) {
                    throw new EngineException(
                            "Failed to save pytorch index file",
                            new IOException(offline ? "Offline mode is enabled." : "publish.djl.ai"));
                }
                libtorch(folder, folder.toString().contains("-cu"));
            }
        }
        return new Library("2.7.1", folder, works && list(folder).contains("libtorch_cuda.so"));
    }

    @Override
    public String probe(int gpu) {
        return problems.get(gpu);
    }
}
