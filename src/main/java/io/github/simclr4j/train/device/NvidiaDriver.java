// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.device;

import io.github.simclr4j.train.device.Devices.Gpu;
import io.github.simclr4j.train.device.Devices.Reason;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The information of NVIDIA's driver.
 *
 * @param environment the machine
 * @param version version of the driver, or null
 * @param cuda newest CUDA version that it supports, or null
 * @param gpus all GPUs that it lists, including hidden ones
 * @param smi output of {@code nvidia-smi} if it did not list GPUs, or null
 * @param failure why {@code nvidia-smi} could not be run although it may exist, or null; this is no sign of a GPU
 */
record NvidiaDriver(Environment environment, String version, String cuda, List<Gpu> gpus, String smi, String failure) {
    private static final Pattern SMI_CUDA = Pattern.compile("CUDA Version:\\s*(\\d+\\.\\d+)");
    private static final Pattern PROC_DRIVER = Pattern.compile("Kernel Module\\s+(?:for \\S+\\s+)?(\\d+(?:\\.\\d+)+)");
    private static final Pattern PROC_MODEL = Pattern.compile("Model:\\s*(.+)");
    private static final Path PROC = Path.of("/proc/driver/nvidia");

    /** Returns a driver that was not queried. */
    static NvidiaDriver unasked(Environment environment) {
        return new NvidiaDriver(environment, null, null, List.of(), null, null);
    }

    /** Queries the driver, or the kernel if there is no nvidia-smi, as in some containers. */
    static NvidiaDriver find(Environment environment) {
        Environment.Output header = environment.run("nvidia-smi");
        if (header.code() < 0) {
            String failure = header.code() == -1 ? null : "nvidia-smi could not be run: " + header.text();
            String version = environment.read(PROC.resolve("version"));
            Matcher m = PROC_DRIVER.matcher(version == null ? "" : version);
            List<Gpu> gpus = new ArrayList<>();
            for (String bus : environment.list(PROC.resolve("gpus"))) {
                String information =
                        environment.read(PROC.resolve("gpus").resolve(bus).resolve("information"));
                Matcher model = PROC_MODEL.matcher(information == null ? "" : information);
                gpus.add(new Gpu(gpus.size(), model.find() ? model.group(1).strip() : bus, -1, null, "", false));
            }
            // A container sees the host's kernel, but has the device files only if the GPUs are passed to it.
            boolean given = gpus.isEmpty() || environment.list(Path.of("/dev")).contains("nvidiactl");
            return new NvidiaDriver(
                    environment,
                    m.find() ? m.group(1) : null,
                    null,
                    given ? gpus : List.of(),
                    given
                            ? null
                            : (failure == null ? "not installed" : failure)
                                    + ", and there is no /dev/nvidiactl although the kernel has the driver",
                    failure);
        }
        String fields = "index,name,memory.total,uuid,driver_version";
        Environment.Output list = smi(environment, fields + ",mig.mode.current,compute_cap");
        if (list.code() == 2) {
            // An older driver that does not know the last two fields.
            list = smi(environment, fields);
        }
        List<Gpu> gpus = new ArrayList<>();
        String driver = null;
        for (String line : list.code() == 0 ? list.text().lines().toList() : List.<String>of()) {
            String[] f = line.strip().split("\\s*,\\s*");
            if (f.length >= 5 && f[0].matches("\\d+")) {
                driver = f[4];
                long memory = f[2].matches("\\d+") ? Long.parseLong(f[2]) : -1;
                String capability = f.length > 6 && f[6].matches("[\\d.]+") ? f[6] : null;
                gpus.add(new Gpu(
                        Integer.parseInt(f[0]),
                        f[1],
                        memory,
                        capability,
                        f[3],
                        f.length > 5 && f[5].equals("Enabled")));
            }
        }
        Matcher cuda = SMI_CUDA.matcher(header.text());
        String smi = !gpus.isEmpty() ? null : Devices.firstLine(list.text().isBlank() ? header.text() : list.text());
        return new NvidiaDriver(environment, driver, cuda.find() ? cuda.group(1) : null, gpus, smi, null);
    }

    private static Environment.Output smi(Environment environment, String fields) {
        return environment.run("nvidia-smi", "--query-gpu=" + fields, "--format=csv,noheader,nounits");
    }

    /** Returns the GPUs that are visible to CUDA in this process, in CUDA's order if it is known. */
    List<Gpu> visible() {
        String variable = environment.variable("CUDA_VISIBLE_DEVICES");
        List<Gpu> some = new ArrayList<>();
        if (variable == null) {
            some.addAll(gpus);
        } else {
            for (String id : variable.split(",")) {
                String i = id.strip();
                Gpu gpu = gpus.stream()
                        .filter(g -> i.equals(String.valueOf(g.index()))
                                || i.startsWith("MIG") && g.mig()
                                || i.startsWith("GPU") && g.uuid().startsWith(i))
                        .findFirst()
                        .orElse(null);
                if (gpu == null) {
                    // Like CUDA, ignores everything after the first unknown GPU.
                    break;
                }
                some.add(gpu);
            }
        }
        boolean alike =
                some.stream().map(g -> g.name() + g.memoryMiB()).distinct().count() <= 1;
        if (!alike && !"PCI_BUS_ID".equals(environment.variable("CUDA_DEVICE_ORDER"))) {
            // CUDA orders the GPUs by speed, fastest first.
            some.replaceAll(g -> new Gpu(g.index(), "a GPU in CUDA's order (fastest first)", -1, null, "", g.mig()));
        }
        return some;
    }

    /** Tells whether there are signs of an NVIDIA GPU. */
    boolean seen() {
        return version != null || smi != null || !gpus.isEmpty();
    }

    /** Returns why no libtorch can use a GPU on this machine, or null. */
    Reason against() {
        if (!seen()) {
            return new Reason(
                    "no NVIDIA driver was found ("
                            + (failure == null ? "neither nvidia-smi nor " : failure + "; there is no ") + PROC + ")",
                    "if there is an NVIDIA GPU, install its driver; in Docker run with --gpus all");
        }
        if (gpus.isEmpty()) {
            String said = smi == null ? "the driver lists no GPU" : "nvidia-smi: " + smi;
            if (said.contains("ersion mismatch")) {
                return new Reason(said, "the driver was updated under a running kernel: reboot, or reload its modules");
            }
            if (said.contains("ermission")) {
                return new Reason(said, "give this user read and write access to /dev/nvidia*");
            }
            return new Reason(said, "check that the driver is loaded; in Docker run with --gpus all");
        }
        if (visible().isEmpty()) {
            return new Reason(
                    "CUDA_VISIBLE_DEVICES=" + environment.variable("CUDA_VISIBLE_DEVICES") + " hides every GPU",
                    "unset it, or name one of 0 to " + (gpus.size() - 1));
        }
        return tooOld();
    }

    /** Returns why the driver is too old, or null. Within one major version of CUDA a driver supports libraries of any minor version. */
    Reason tooOld() {
        int needed = Integer.parseInt(Libraries.CUDA.substring(2, 4));
        boolean old = cuda != null
                ? Integer.parseInt(cuda.split("\\.")[0]) < needed
                : version != null && Integer.parseInt(version.split("\\.")[0]) < 525;
        return !old
                ? null
                : new Reason(
                        "the driver " + (version == null ? "" : version + " ") + "is too old for " + Libraries.CUDA
                                + (cuda == null
                                        ? ""
                                        : ": it supports CUDA up to " + cuda + ", but " + needed + ".0 is needed"),
                        "install NVIDIA's driver 525.60.13 or newer (on Windows 527.41), 570 or newer is best");
    }
}
