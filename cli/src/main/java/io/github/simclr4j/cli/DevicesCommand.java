// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.train.device.Devices;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** Runs {@code simclr devices}. */
@CommandLine.Command(
        name = "devices",
        description = "Shows the GPUs and the libtorch of this machine and the device that training would use;"
                + " if a GPU is not used, says why and what to do. Fails if --device is not available.")
final class DevicesCommand extends Command {
    /** DJL's logger of downloads; a reference is kept because loggers are held weakly and would lose their filter. */
    private static final Logger DOWNLOADS = Logger.getLogger("ai.djl.pytorch.jni.LibUtils");

    @Option(names = "--fetch", description = "Download the libtorch with CUDA now, about 3 GB; needs no GPU.")
    boolean fetch;

    @Override
    boolean trains() {
        return true;
    }

    @Override
    boolean reports() {
        return true;
    }

    @Override
    boolean downloads() {
        return fetch;
    }

    @Override
    Map<String, Object> work() throws IOException {
        Console console = new Console();
        if (fetch) {
            DOWNLOADS.setLevel(Level.INFO);
            DOWNLOADS.setFilter(r -> r.getMessage().startsWith("Downloading"));
            Path folder = Devices.here().fetch(console);
            System.out.println("libtorch with CUDA is in " + folder);
            return Map.of("libtorch", folder.toString());
        }
        Devices.Report r = Devices.here().report(common.device, console);
        line("system", r.system());
        line(
                "driver",
                r.driver() == null
                        ? "none"
                        : r.driver() + (r.driverCuda() == null ? "" : ", CUDA up to " + r.driverCuda()));
        if (r.smi() != null) {
            line("nvidia-smi", r.smi());
        }
        for (Devices.Gpu g : r.gpus()) {
            String capability = g.computeCapability();
            line("GPU " + g.index(), g + (capability == null ? "" : ", compute capability " + capability));
        }
        line(
                "CUDA runtime",
                r.cudaRuntimes().isEmpty()
                        ? "none on the loader's path (libtorch brings its own)"
                        : String.join(", ", r.cudaRuntimes()));
        Devices.Libtorch t = r.libtorch();
        line(
                "libtorch",
                t == null ? "none" : t.version() + " " + t.flavour() + " in " + t.folder() + " (" + t.origin() + ")");
        line("binding", r.binding() == null ? "none" : "for libtorch " + r.binding());
        r.variables().forEach((k, v) -> line("variable", k + "=" + v));
        line("device", r.device() == null ? "none" : r.device());
        if (r.why() != null) {
            line("why", r.why());
            line("to do", OptionNames.commands(r.fix()));
        }
        if (r.device() == null) {
            throw new CheckFailed("--device " + common.device + " is not available: " + r.why(), json(r));
        }
        return json(r);
    }

    private static void line(String name, String value) {
        System.out.printf("  %-14s%s%n", name, value);
    }

    /** Returns the report as documented in docs/json.md, without unknown values. */
    private static Map<String, Object> json(Devices.Report r) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("system", r.system());
        json.put("driver", r.driver());
        json.put("driverCuda", r.driverCuda());
        json.put("nvidiaSmi", r.smi());
        json.put("gpus", r.gpus());
        json.put("cudaRuntimes", r.cudaRuntimes());
        Devices.Libtorch t = r.libtorch();
        json.put(
                "libtorch",
                t == null
                        ? null
                        : Map.of(
                                "version",
                                t.version(),
                                "flavour",
                                t.flavour(),
                                "folder",
                                t.folder().toString(),
                                "origin",
                                t.origin()));
        json.put("binding", r.binding());
        json.put("variables", r.variables());
        json.put("device", r.device());
        json.put("why", r.why());
        json.put("fix", r.fix() == null ? null : OptionNames.commands(r.fix()));
        json.values().removeIf(v -> v == null || v.equals(List.of()));
        return json;
    }
}
