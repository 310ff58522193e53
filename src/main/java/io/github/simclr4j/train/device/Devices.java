// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.device;

import io.github.simclr4j.train.torch.Torch;
import io.github.simclr4j.util.Progress;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds the GPUs and the libtorch of a machine, chooses a training device, and reports why an existing GPU is not used.
 *
 * <p>DJL alone silently falls back to the CPU in several cases: if a CPU libtorch is on the class path, if no CUDA runtime is on the
 * loader's path, or if that runtime is older than the library's. This class therefore sets the flavour before the engine loads, unless
 * the variable {@code PYTORCH_FLAVOR} sets it, and considers a GPU usable only if a computation on it succeeds.
 *
 * <p>A report loads the engine, which is possible once per process: the first report decides which libtorch the process uses.
 *
 * @since 0.1.0
 */
public final class Devices {
    private static final Pattern NAME = Pattern.compile("auto|cpu|gpu(?::(\\d{1,4}))?");
    private static final List<String> VARIABLES = List.of(
            "SIMCLR_DEVICE",
            "PYTORCH_LIBRARY_PATH",
            "PYTORCH_VERSION",
            "PYTORCH_FLAVOR",
            "CUDA_VISIBLE_DEVICES",
            "CUDA_DEVICE_ORDER",
            "NVIDIA_VISIBLE_DEVICES",
            "LD_LIBRARY_PATH",
            "ENGINE_CACHE_DIR",
            "DJL_CACHE_DIR",
            "DJL_OFFLINE");

    /** Reports to the log, for callers without a listener. */
    public static final Progress LOG = new Progress() {
        private static final Logger LOGGER = Logger.getLogger(Devices.class.getName());

        @Override
        public void line(String text) {
            LOGGER.info(text);
        }

        @Override
        public void warn(String text) {
            LOGGER.warning(text);
        }
    };

    /**
     * A GPU that the driver lists.
     *
     * @param index index in the driver's order, which may differ from CUDA's
     * @param name name of the model
     * @param memoryMiB memory in MiB, or -1 if unknown
     * @param computeCapability compute capability such as 9.0, or null if unknown
     * @param uuid unique ID, or an empty string if unknown
     * @param mig whether the GPU is in MIG mode
     */
    public record Gpu(int index, String name, long memoryMiB, String computeCapability, String uuid, boolean mig) {
        @Override
        public String toString() {
            return name + (memoryMiB < 0 ? "" : ", " + memoryMiB + " MiB") + (mig ? ", in MIG mode" : "");
        }
    }

    /**
     * A libtorch.
     *
     * @param version version, such as 2.7.1
     * @param flavour {@code cpu} or, for CUDA 12.8, {@code cu128}
     * @param folder folder of the libraries
     * @param origin where it comes from: the class path, DJL's cache or {@code PYTORCH_LIBRARY_PATH}
     */
    public record Libtorch(String version, String flavour, Path folder, String origin) {}

    /**
     * What was found and what is used.
     *
     * @param system operating system and processor, such as {@code linux-x86_64}
     * @param driver version of NVIDIA's driver, or null
     * @param driverCuda newest CUDA version that the driver supports, or null
     * @param gpus GPUs that the driver lists
     * @param smi output of {@code nvidia-smi} if it did not list GPUs, or null
     * @param cudaRuntimes CUDA runtimes on the loader's path; the CUDA libtorch brings its own
     * @param binding version of DJL's binding, or null
     * @param libtorch the loaded libtorch, or null if none could be loaded
     * @param variables relevant environment variables that are set
     * @param device {@code cpu} or {@code gpu:N}, or null if the requested device is not available
     * @param why why no GPU is used, or null if one is used or the CPU was requested
     * @param fix the remedy, or null
     */
    public record Report(
            String system,
            String driver,
            String driverCuda,
            List<Gpu> gpus,
            String smi,
            List<String> cudaRuntimes,
            String binding,
            Libtorch libtorch,
            Map<String, String> variables,
            String device,
            String why,
            String fix) {}

    /** The origin of a process's libtorch. */
    public enum LibtorchSource {
        /** The one that {@code PYTORCH_LIBRARY_PATH} names. */
        NAMED,
        /** The CPU library that is, or must be put, on the class path. */
        CLASS_PATH,
        /** The CUDA library in DJL's cache; a CPU library on the class path would take precedence. */
        CACHE,
        /** The CUDA library, which must be {@linkplain #fetch fetched} first. */
        DOWNLOAD
    }

    /** The reason why something is not used, and the remedy. */
    record Reason(String why, String fix) {}

    private final Environment environment;
    private final Libraries libraries;

    /** Inspects a machine, which tests can simulate. */
    public Devices(Environment environment) {
        this.environment = environment;
        this.libraries = new Libraries(environment);
    }

    /** Returns the devices of this machine. */
    public static Devices here() {
        return new Devices(new Environment.Machine());
    }

    /**
     * Returns the index in {@code gpu:N}; 0 for any other name.
     *
     * @throws IllegalArgumentException if the name is unknown
     */
    public static int index(String name) {
        Matcher m = NAME.matcher(name);
        if (!m.matches()) {
            throw new IllegalArgumentException("Unknown device, expected auto, cpu, gpu or gpu:N, found " + name);
        }
        return m.group(1) == null ? 0 : Integer.parseInt(m.group(1));
    }

    /**
     * Checks the names of devices that share each step of a training. Several devices must be different GPUs, or all the CPU, which then
     * runs one replica per name.
     *
     * @param names {@code auto}, {@code cpu}, {@code gpu} or {@code gpu:N}
     * @throws IllegalArgumentException if a name is unknown, or if these devices cannot share steps
     */
    public static void check(List<String> names) {
        if (names.isEmpty()) {
            throw new IllegalArgumentException("No devices: name at least one, such as gpu:0");
        }
        Set<String> gpus = new HashSet<>();
        for (String name : names) {
            int index = index(name);
            if (name.equals("auto") && names.size() > 1) {
                throw new IllegalArgumentException(
                        "auto is not one of several devices: name each device, such as gpu:0 and gpu:1, found "
                                + String.join(",", names));
            }
            if (!name.equals("cpu") && !gpus.add("gpu:" + index)) {
                throw new IllegalArgumentException("gpu:" + index
                        + " is named twice, but has one replica: name each GPU once, found " + String.join(",", names));
            }
        }
        if (!gpus.isEmpty() && gpus.size() < names.size()) {
            throw new IllegalArgumentException(
                    "A GPU and the CPU can't share a training, because each step would wait for the CPU:"
                            + " name only GPUs, or only cpu, found " + String.join(",", names));
        }
    }

    /**
     * Chooses a device, and reports the choice and, if a GPU exists but is not used, the reason.
     *
     * @param name {@code auto} (the first GPU, or the CPU if none is usable), {@code cpu}, {@code gpu} or {@code gpu:N}
     * @param progress receives the choice
     * @return {@code cpu} or {@code gpu:N}
     * @throws IllegalArgumentException if the name is unknown
     * @throws IllegalStateException if a requested GPU cannot be used, or libtorch cannot be loaded
     */
    public String choose(String name, Progress progress) {
        Report r = report(name, progress, !name.equals("cpu"));
        if (r.device() == null) {
            throw new IllegalStateException(r.why() + "; " + r.fix());
        }
        NvidiaDriver driver = new NvidiaDriver(environment, r.driver(), r.driverCuda(), r.gpus(), r.smi(), null);
        if (r.why() != null && driver.seen()) {
            progress.warn("training on the CPU although there is a GPU: " + r.why() + "; " + r.fix());
        }
        String library =
                "libtorch " + r.libtorch().version() + " " + r.libtorch().flavour();
        if (r.device().equals("cpu")) {
            boolean none = r.why() != null && !driver.seen();
            progress.line("device cpu" + (none ? " (no NVIDIA GPU was found)" : "") + ", " + library);
        } else {
            List<Gpu> visible = driver.visible();
            int n = index(r.device());
            progress.line("device " + r.device() + (n < visible.size() ? ": " + visible.get(n) : "")
                    + (r.driver() == null ? "" : ", driver " + r.driver()) + ", " + library);
        }
        return r.device();
    }

    /**
     * Reports what the machine has, and what training with a device would use.
     *
     * @param name {@code auto}, {@code cpu}, {@code gpu} or {@code gpu:N}
     * @param progress receives a line if a libtorch must be fetched first
     * @throws IllegalArgumentException if the name is unknown
     */
    public Report report(String name, Progress progress) {
        return report(name, progress, true);
    }

    private Report report(String name, Progress progress, boolean look) {
        int index = index(name);
        boolean cpu = name.equals("cpu");
        Map<String, String> variables = new LinkedHashMap<>();
        for (String v : VARIABLES) {
            if (environment.variable(v) != null) {
                variables.put(v, environment.variable(v));
            }
        }
        NvidiaDriver driver = look ? NvidiaDriver.find(environment) : NvidiaDriver.unasked(environment);
        Reason reason = cpu ? null : driver.against();
        if (!cpu && reason == null && libraries.named() == null) {
            reason = libraries.noBinding();
        }
        // The reason why no libtorch can be loaded.
        Reason broken = libraries.refused();
        Torch.Library library = null;
        if (broken == null) {
            boolean gpu = !cpu && reason == null;
            if (gpu
                    && libraries.named() == null
                    && libraries.bundled() == null
                    && environment.offline()
                    && !libraries.cached(Libraries.CUDA)) {
                reason = new Reason(
                        libraries.cudaName() + " is not in " + environment.cache() + " and DJL is in offline mode",
                        fetchFix());
                gpu = false;
            }
            libraries.setFlavour(gpu);
            try {
                libraries.beforeDownload(progress);
                library = environment.load();
            } catch (RuntimeException | LinkageError e) {
                broken = new Reason(
                        "libtorch can't be loaded: " + causes(e),
                        "see docs/devices.md for the libtorch that"
                                + " each system needs; Devices.report shows what was found");
            }
        }
        Libtorch libtorch = library == null ? null : libraries.describe(library);
        String device;
        if (library == null) {
            reason = broken;
            device = null;
        } else if (cpu) {
            device = "cpu";
        } else {
            // A library that computes on the GPU is the right one, whatever else was found.
            if (library.cuda()) {
                reason = unusable(index, driver.visible());
            } else if (reason == null) {
                reason = withoutCuda(libtorch, driver.visible());
            }
            device = reason == null ? "gpu:" + index : name.equals("auto") ? "cpu" : null;
        }
        return new Report(
                environment.system(),
                driver.version(),
                driver.cuda(),
                driver.gpus(),
                driver.smi(),
                look ? cudaRuntimes() : List.of(),
                libraries.bindingVersion(),
                libtorch,
                variables,
                device,
                reason == null ? null : reason.why(),
                reason == null ? null : reason.fix());
    }

    /** Returns the compute capability of a GPU, such as 9.0, or null if the driver does not report it. */
    String computeCapability(int index) {
        List<Gpu> visible = NvidiaDriver.find(environment).visible();
        return index < visible.size() ? visible.get(index).computeCapability() : null;
    }

    /**
     * Determines the libtorch for a training before any is loaded: the CUDA library if there is a GPU that it can use.
     *
     * @param name {@code auto}, {@code cpu}, {@code gpu} or {@code gpu:N}
     * @throws IllegalArgumentException if the name is unknown
     */
    public LibtorchSource source(String name) {
        index(name);
        if (environment.value("PYTORCH_LIBRARY_PATH") != null) {
            return LibtorchSource.NAMED;
        }
        String flavour = environment.value("PYTORCH_FLAVOR");
        boolean cuda = !name.equals("cpu")
                && (flavour == null || flavour.equals(Libraries.CUDA))
                && libraries.noBinding() == null
                && NvidiaDriver.find(environment).against() == null;
        return !cuda
                ? LibtorchSource.CLASS_PATH
                : libraries.cached(Libraries.CUDA) ? LibtorchSource.CACHE : LibtorchSource.DOWNLOAD;
    }

    /** Returns whether there is a libtorch: one that is named, on the class path or in DJL's cache, or one that DJL may fetch. */
    public boolean hasLibtorch() {
        return environment.value("PYTORCH_LIBRARY_PATH") != null
                || libraries.bundled() != null
                || libraries.cached("cpu")
                || libraries.cached(Libraries.CUDA)
                || !environment.offline();
    }

    /** Returns the Maven coordinates of the CPU libtorch for this system: group, artifact, version and classifier, between colons. */
    public String cpuLibtorch() {
        return "ai.djl.pytorch:pytorch-native-cpu:" + libraries.bindingVersion() + ":" + environment.system();
    }

    /**
     * Fetches the CUDA libtorch into DJL's cache. This needs no GPU, so that container images can be built on any machine.
     *
     * @param progress receives a line about the download
     * @return the folder of the libtorch
     * @throws IOException if it cannot be fetched
     * @throws IllegalStateException if it would not be used
     */
    public Path fetch(Progress progress) throws IOException {
        if (environment.value("PYTORCH_LIBRARY_PATH") != null) {
            throw new IllegalStateException(
                    "PYTORCH_LIBRARY_PATH is set, so that a fetched libtorch would not be used; unset it");
        }
        if (libraries.bundled() != null) {
            throw new IllegalStateException("The class path has a libtorch, which DJL prefers: " + libraries.bundled()
                    + "; remove it from the class path");
        }
        String flavour = environment.value("PYTORCH_FLAVOR");
        if (flavour != null && !flavour.equals(Libraries.CUDA)) {
            throw new IllegalStateException(
                    "PYTORCH_FLAVOR is " + flavour + ", expected " + Libraries.CUDA + "; unset it");
        }
        NvidiaDriver driver = NvidiaDriver.find(environment);
        Reason against = libraries.noBinding() != null ? libraries.noBinding() : driver.tooOld();
        if (against != null) {
            throw new IllegalStateException(against.why() + "; " + against.fix());
        }
        Path folder = libraries.folder(Libraries.CUDA);
        if (libraries.cached(Libraries.CUDA)) {
            progress.line(libraries.cudaName() + " is already in " + folder);
            return folder;
        }
        libraries.setFlavour(true);
        libraries.beforeDownload(progress);
        String failure = "";
        try {
            environment.load();
        } catch (RuntimeException | LinkageError e) {
            // Without a driver the library fails to load after the download.
            failure = ": " + causes(e);
        }
        if (!libraries.cached(Libraries.CUDA)) {
            throw new IOException(libraries.cudaName() + " can't be fetched from " + Libraries.SITE + failure
                    + "; allow this machine to reach that address, copy " + folder
                    + " from a machine that has it, or set"
                    + " PYTORCH_LIBRARY_PATH to the lib folder of an installed libtorch of that version");
        }
        return folder;
    }

    /** Returns why a CUDA libtorch that sees GPUs cannot use this one, or null if it can. */
    private Reason unusable(int index, List<Gpu> visible) {
        boolean mig = visible.stream().anyMatch(Gpu::mig);
        if (!visible.isEmpty() && index >= visible.size() && !mig) {
            return outOfRange(index, visible.size());
        }
        String problem = environment.probe(index);
        if (problem == null) {
            return null;
        }
        String gpu = "gpu:" + index + (index < visible.size() ? " (" + visible.get(index) + ")" : "");
        if (problem.contains("invalid device ordinal")) {
            return mig
                    ? new Reason(
                            "gpu:" + index + " is not there: in MIG mode a process sees one instance",
                            "use gpu:0, and choose the instance by its UUID in CUDA_VISIBLE_DEVICES")
                    : outOfRange(index, Math.max(1, visible.size()));
        }
        if (problem.contains("no kernel image")) {
            String capability = index < visible.size() ? visible.get(index).computeCapability() : null;
            return new Reason(
                    "this libtorch has no code for " + gpu
                            + (capability == null ? "" : ", whose compute capability is " + capability),
                    "use another GPU or the CPU");
        }
        if (problem.contains("out of memory")) {
            return new Reason(
                    gpu + " has no memory left", "end the process that fills it, or choose another GPU as gpu:N");
        }
        return new Reason(gpu + " does not compute: " + firstLine(problem), "check it with nvidia-smi, or use the CPU");
    }

    private static Reason outOfRange(int index, int count) {
        String there = count == 1 ? "only gpu:0 is" : "GPUs are gpu:0 to gpu:" + (count - 1);
        return new Reason(
                "gpu:" + index + " is not there: " + there, "choose one of these; CUDA_VISIBLE_DEVICES hides GPUs");
    }

    /** Returns why a libtorch sees no GPU although the driver lists one. */
    private static Reason withoutCuda(Libtorch libtorch, List<Gpu> visible) {
        if (libtorch.flavour().equals("cpu")) {
            return new Reason("the loaded libtorch is for the CPU (" + libtorch.origin() + ")", fetchFix());
        }
        String gpus = "libtorch " + libtorch.version() + " " + libtorch.flavour() + " finds no usable GPU";
        if (visible.stream().anyMatch(Gpu::mig)) {
            return new Reason(
                    gpus + ", and the GPU is in MIG mode",
                    "create an instance (nvidia-smi mig -cgi ... -C) and give this user and container access to it");
        }
        return new Reason(
                gpus,
                "see libtorch's warning above, if there is one; give this user read and write access to /dev/nvidia*;"
                        + " in Docker run with --gpus all and NVIDIA_DRIVER_CAPABILITIES=compute,utility");
    }

    private static String fetchFix() {
        return "fetch the CUDA libtorch with Devices.fetch (about 3 GB), or set PYTORCH_LIBRARY_PATH to an installed"
                + " one; without the launcher take pytorch-native-cpu off the class path";
    }

    private List<String> cudaRuntimes() {
        List<String> all = new ArrayList<>();
        String path = environment.value("LD_LIBRARY_PATH");
        for (String folder : path == null ? new String[0] : path.split(Pattern.quote(File.pathSeparator))) {
            environment.list(Path.of(folder)).stream()
                    .filter(f -> f.startsWith("libcudart.so"))
                    .forEach(f -> all.add(Path.of(folder).resolve(f).toString()));
        }
        Environment.Output loader = environment.run("/sbin/ldconfig", "-p");
        loader.text()
                .lines()
                .filter(l -> l.contains("libcudart.so") && l.contains("=> "))
                .forEach(l -> all.add(l.substring(l.indexOf("=> ") + 3).strip()));
        return all.stream().distinct().toList();
    }

    static String firstLine(String text) {
        return text.strip().lines().findFirst().orElse("").strip();
    }

    /** Returns the messages of an exception and its root cause. */
    private static String causes(Throwable e) {
        Throwable last = e;
        while (last.getCause() != null) {
            last = last.getCause();
        }
        String first = firstLine(String.valueOf(e.getMessage()));
        return last == e ? first : first + " (" + firstLine(last.toString()) + ")";
    }
}
