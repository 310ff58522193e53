package io.github.simclr4j.train;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where an encoder is trained: finds the GPUs and the libtorch, chooses, and says why a GPU that is there is not used.
 *
 * <p>DJL alone goes to the CPU without a word in several cases: a CPU libtorch on the class path wins over the GPU; without a CUDA
 * runtime on the loader's path, or with one older than the library's, it takes a CPU libtorch. So the flavour is set here before the
 * engine loads, unless the variable {@code PYTORCH_FLAVOR} sets it, and a GPU counts as usable once it has computed something.
 *
 * <p>Asking loads the engine, which happens once a process: the first answer decides which libtorch the process has.
 */
public final class Devices {
    /** The only CUDA flavour of the binding. The launcher names it too. */
    static final String FLAVOUR = "cu128";

    /** Where that binding exists. */
    private static final List<String> CUDA_SYSTEMS = List.of("linux-x86_64", "win-x86_64");

    private static final String SITE = "https://publish.djl.ai";
    private static final String DRIVER_FIX =
            "install NVIDIA's driver 525.60.13 or newer (on Windows 527.41), 570 or newer is best";

    private static final Pattern NAME = Pattern.compile("auto|cpu|gpu(?::(\\d{1,4}))?");
    private static final Pattern SMI_CUDA = Pattern.compile("CUDA Version:\\s*(\\d+\\.\\d+)");
    private static final Pattern PROC_DRIVER = Pattern.compile("Kernel Module\\s+(?:for \\S+\\s+)?(\\d+(?:\\.\\d+)+)");
    private static final Pattern PROC_MODEL = Pattern.compile("Model:\\s*(.+)");
    private static final Pattern PYTHON_VERSION = Pattern.compile("__version__ = '([^']+)'");
    private static final Pattern CUDA_IN_NAME = Pattern.compile("[-+](cu\\d+)");
    private static final Path PROC = Path.of("/proc/driver/nvidia");
    private static final List<String> VARIABLES = List.of(
            "SIMCLR_DEVICE", "PYTORCH_LIBRARY_PATH", "PYTORCH_VERSION", "PYTORCH_FLAVOR", "CUDA_VISIBLE_DEVICES",
            "CUDA_DEVICE_ORDER", "NVIDIA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "ENGINE_CACHE_DIR", "DJL_CACHE_DIR", "DJL_OFFLINE");

    /** Tells the log, for callers without a listener. */
    static final Progress LOG = new Progress() {
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
     * @param index the driver's number, which need not be CUDA's
     * @param memoryMiB its memory in MiB, or -1 if it isn't told
     * @param computeCapability such as 9.0, or null if it isn't told
     * @param mig whether it is divided into instances
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
     * @param flavour {@code cpu} or, for CUDA 12.8, {@code cu128}
     * @param origin what brought it: the class path, DJL's cache or {@code PYTORCH_LIBRARY_PATH}
     */
    public record Libtorch(String version, String flavour, Path folder, String origin) {}

    /**
     * What was found and what is used.
     *
     * @param system operating system and processor, such as {@code linux-x86_64}
     * @param driver version of NVIDIA's driver, or null
     * @param driverCuda newest CUDA version that the driver knows, or null
     * @param gpus the GPUs that the driver lists
     * @param smi what {@code nvidia-smi} said instead of listing GPUs, or null
     * @param cudaRuntimes CUDA runtimes on the loader's path; the CUDA libtorch brings its own
     * @param binding version of DJL's binding, or null
     * @param libtorch the one that is loaded, or null if none could be
     * @param variables the environment variables that matter and are set
     * @param device {@code cpu} or {@code gpu:N}, or null if what was asked for can't be had
     * @param why why no GPU is used, or null where one is, or the CPU was asked for
     * @param fix what to do about it, or null
     */
    public record Report(
            String system, String driver, String driverCuda, List<Gpu> gpus, String smi, List<String> cudaRuntimes,
            String binding, Libtorch libtorch, Map<String, String> variables, String device, String why, String fix) {
        /** Whether there are signs of an NVIDIA GPU. */
        public boolean gpuSeen() {
            return driver != null || smi != null || !gpus.isEmpty();
        }
    }

    private record Reason(String why, String fix) {}

    /** What the driver tells. */
    private record Found(String driver, String cuda, List<Gpu> gpus, String smi) {
        static final Found NOTHING = new Found(null, null, List.of(), null);

        boolean any() {
            return driver != null || smi != null || !gpus.isEmpty();
        }
    }

    private final Environment environment;

    Devices(Environment environment) {
        this.environment = environment;
    }

    /** This machine's. */
    public static Devices here() {
        return new Devices(new Environment.Machine());
    }

    /** The number in {@code gpu:N}; 0 for any other name. */
    static int index(String name) {
        Matcher m = NAME.matcher(name);
        if (!m.matches()) {
            throw new IllegalArgumentException("Unknown device, expected auto, cpu, gpu or gpu:N, found " + name);
        }
        return m.group(1) == null ? 0 : Integer.parseInt(m.group(1));
    }

    /**
     * Chooses a device, and tells which one was taken and, where there is a GPU that is not used, why.
     *
     * @param name {@code auto} (the first GPU, or the CPU where none is usable), {@code cpu}, {@code gpu} or {@code gpu:N}
     * @return {@code cpu} or {@code gpu:N}
     * @throws IllegalArgumentException if the name is none of these
     * @throws IllegalStateException if a GPU is asked for and can't be used, or libtorch can't be loaded
     */
    String choose(String name, Progress progress) {
        Report r = report(name, progress, !name.equals("cpu"));
        if (r.device() == null) {
            throw new IllegalStateException(r.why() + "; " + r.fix());
        }
        if (r.why() != null && r.gpuSeen()) {
            progress.warn("training on the CPU although there is a GPU: " + r.why() + "; " + r.fix());
        }
        String library = "libtorch " + r.libtorch().version() + " " + r.libtorch().flavour();
        if (r.device().equals("cpu")) {
            progress.line("device cpu" + (r.why() == null || r.gpuSeen() ? "" : " (no NVIDIA GPU was found)") + ", " + library);
        } else {
            List<Gpu> visible = visible(r.gpus());
            int n = index(r.device());
            progress.line("device " + r.device() + (n < visible.size() ? ": " + visible.get(n) : "")
                    + (r.driver() == null ? "" : ", driver " + r.driver()) + ", " + library);
        }
        return r.device();
    }

    /**
     * Finds out what there is, and what training with this device would use.
     *
     * @param name as for {@code --device}: {@code auto}, {@code cpu}, {@code gpu} or {@code gpu:N}
     * @param progress told when a libtorch has to be fetched first
     * @throws IllegalArgumentException if the name is none of these
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
        Found found = look ? find() : Found.NOTHING;
        Reason reason = cpu ? null : beforeLibrary(found);
        // Why there is no libtorch at all.
        Reason broken = refused();
        Environment.Library library = null;
        if (broken == null) {
            boolean gpu = !cpu && reason == null;
            if (gpu && named() == null && bundled() == null && environment.offline() && !cached(FLAVOUR)) {
                reason = new Reason("libtorch " + bindingVersion() + " " + FLAVOUR + " is not in " + environment.cache()
                        + " and the network is not to be used", fetchFix());
                gpu = false;
            }
            setFlavour(gpu);
            try {
                announce(progress);
                library = environment.load();
            } catch (RuntimeException | LinkageError e) {
                broken = new Reason("libtorch can't be loaded: " + causes(e), "see docs/devices.md for which libtorch goes with"
                        + " which system; 'simclr devices' shows what was found");
            }
        }
        Libtorch libtorch = library == null ? null : libtorch(library);
        String device;
        if (library == null) {
            reason = broken;
            device = null;
        } else if (cpu) {
            device = "cpu";
        } else {
            // A library that computes on the GPU is right, whatever else was found.
            if (library.cuda()) {
                reason = unusable(index, found);
            } else if (reason == null) {
                reason = withoutCuda(libtorch, found);
            }
            device = reason == null ? "gpu:" + index : name.equals("auto") ? "cpu" : null;
        }
        return new Report(environment.system(), found.driver(), found.cuda(), found.gpus(), found.smi(),
                look ? cudaRuntimes() : List.of(), bindingVersion(), libtorch, variables, device,
                reason == null ? null : reason.why(), reason == null ? null : reason.fix());
    }

    /**
     * Has DJL fetch the CUDA libtorch into its cache. That needs no GPU, so that an image can be built anywhere.
     *
     * @param progress told what is fetched
     * @return its folder
     * @throws IOException if it can't be fetched
     * @throws IllegalStateException if it would not be used
     */
    public Path fetch(Progress progress) throws IOException {
        if (named() != null || value("PYTORCH_LIBRARY_PATH") != null) {
            throw new IllegalStateException("PYTORCH_LIBRARY_PATH is set, so that a fetched libtorch would not be used; unset it");
        }
        if (bundled() != null) {
            throw new IllegalStateException("The class path has a libtorch, which DJL takes first: " + bundled() + "; take it off");
        }
        if (!CUDA_SYSTEMS.contains(environment.system())) {
            throw new IllegalStateException(noBinding());
        }
        Found found = find();
        if (found.any() && tooOld(found) != null) {
            throw new IllegalStateException(tooOld(found).why() + "; " + tooOld(found).fix());
        }
        String flavour = value("PYTORCH_FLAVOR");
        if (flavour != null && !flavour.equals(FLAVOUR)) {
            throw new IllegalStateException("PYTORCH_FLAVOR is " + flavour + ", expected " + FLAVOUR + "; unset it");
        }
        Path folder = folder(FLAVOUR);
        if (cached(FLAVOUR)) {
            progress.line("libtorch " + bindingVersion() + " " + FLAVOUR + " is already in " + folder);
            return folder;
        }
        // DJL extracts the binding for a libtorch elsewhere into this folder, and then can't move what it fetched to it.
        environment.delete(folder);
        setFlavour(true);
        announce(progress);
        String failure = "";
        try {
            environment.load();
        } catch (RuntimeException | LinkageError e) {
            // Without a driver it does not load, but it is there.
            failure = ": " + causes(e);
        }
        if (!cached(FLAVOUR)) {
            throw new IOException("libtorch " + bindingVersion() + " " + FLAVOUR + " can't be fetched from " + SITE + failure
                    + "; let this machine reach that address, copy " + folder + " from a machine that has it, or set"
                    + " PYTORCH_LIBRARY_PATH to the lib folder of an installed libtorch of that version");
        }
        return folder;
    }

    private String value(String variable) {
        String v = environment.variable(variable);
        return v == null || v.isEmpty() ? null : v;
    }

    /** Asks the driver, or the kernel where there is no nvidia-smi, as in some containers. */
    private Found find() {
        Environment.Output header = environment.run("nvidia-smi");
        if (header.code() == -1) {
            String version = environment.read(PROC.resolve("version"));
            Matcher m = PROC_DRIVER.matcher(version == null ? "" : version);
            List<Gpu> gpus = new ArrayList<>();
            for (String bus : environment.list(PROC.resolve("gpus"))) {
                String information = environment.read(PROC.resolve("gpus").resolve(bus).resolve("information"));
                Matcher model = PROC_MODEL.matcher(information == null ? "" : information);
                gpus.add(new Gpu(gpus.size(), model.find() ? model.group(1).strip() : bus, -1, null, "", false));
            }
            return new Found(m.find() ? m.group(1) : null, null, gpus, null);
        }
        Environment.Output list = smi("index,name,memory.total,uuid,driver_version,mig.mode.current,compute_cap");
        if (list.code() == 2) {
            // An older driver, which does not know the last two.
            list = smi("index,name,memory.total,uuid,driver_version");
        }
        List<Gpu> gpus = new ArrayList<>();
        String driver = null;
        for (String line : list.code() == 0 ? list.text().lines().toList() : List.<String>of()) {
            String[] f = line.strip().split("\\s*,\\s*");
            if (f.length >= 5 && f[0].matches("\\d+")) {
                driver = f[4];
                gpus.add(new Gpu(Integer.parseInt(f[0]), f[1], f[2].matches("\\d+") ? Long.parseLong(f[2]) : -1,
                        f.length > 6 && f[6].matches("[\\d.]+") ? f[6] : null, f[3], f.length > 5 && f[5].equals("Enabled")));
            }
        }
        Matcher cuda = SMI_CUDA.matcher(header.text());
        String smi = !gpus.isEmpty() ? null : firstLine(list.text().isBlank() ? header.text() : list.text());
        return new Found(driver, cuda.find() ? cuda.group(1) : null, gpus, smi);
    }

    private Environment.Output smi(String fields) {
        return environment.run("nvidia-smi", "--query-gpu=" + fields, "--format=csv,noheader,nounits");
    }

    /** The GPUs that CUDA shows this process, in its order where that is known. */
    private List<Gpu> visible(List<Gpu> all) {
        String variable = environment.variable("CUDA_VISIBLE_DEVICES");
        List<Gpu> some = new ArrayList<>();
        if (variable == null) {
            some.addAll(all);
        } else {
            for (String id : variable.split(",")) {
                String i = id.strip();
                Gpu gpu = all.stream()
                        .filter(g -> i.equals(String.valueOf(g.index())) || i.startsWith("MIG") && g.mig()
                                || i.startsWith("GPU") && g.uuid().startsWith(i))
                        .findFirst().orElse(null);
                if (gpu == null) {
                    // As CUDA does: nothing after the first that is unknown.
                    break;
                }
                some.add(gpu);
            }
        }
        boolean alike = some.stream().map(g -> g.name() + g.memoryMiB()).distinct().count() <= 1;
        if (!alike && !"PCI_BUS_ID".equals(environment.variable("CUDA_DEVICE_ORDER"))) {
            // CUDA puts the fastest first.
            some.replaceAll(g -> new Gpu(g.index(), "a GPU in CUDA's order (fastest first)", -1, null, "", g.mig()));
        }
        return some;
    }

    /** Reasons against any GPU, whatever the library. */
    private Reason beforeLibrary(Found found) {
        if (!found.any()) {
            return new Reason("no NVIDIA driver was found (neither nvidia-smi nor " + PROC + ")",
                    "where there is an NVIDIA GPU install its driver; in Docker run with --gpus all");
        }
        if (found.gpus().isEmpty()) {
            String said = found.smi() == null ? "the driver lists no GPU" : "nvidia-smi says: " + found.smi();
            if (said.contains("ersion mismatch")) {
                return new Reason(said, "the driver was updated under a running kernel: reboot, or reload its modules");
            }
            if (said.contains("ermission")) {
                return new Reason(said, "let this user read and write /dev/nvidia*");
            }
            return new Reason(said, "check that the driver is loaded and, in Docker, that the container runs with --gpus all");
        }
        if (visible(found.gpus()).isEmpty()) {
            return new Reason("CUDA_VISIBLE_DEVICES=" + environment.variable("CUDA_VISIBLE_DEVICES") + " hides every GPU",
                    "unset it, or name one of 0 to " + (found.gpus().size() - 1));
        }
        if (!CUDA_SYSTEMS.contains(environment.system()) && named() == null) {
            return new Reason(noBinding(), "build DJL's native library for this system and name its folder in PYTORCH_LIBRARY_PATH");
        }
        return tooOld(found);
    }

    private String noBinding() {
        return "DJL has no CUDA binding for " + environment.system() + ", only for " + String.join(" and ", CUDA_SYSTEMS);
    }

    /** Within one major version of CUDA a driver runs libraries of any minor version. */
    private static Reason tooOld(Found found) {
        int needed = Integer.parseInt(FLAVOUR.substring(2, 4));
        boolean old = found.cuda() != null
                ? Integer.parseInt(found.cuda().split("\\.")[0]) < needed
                : found.driver() != null && Integer.parseInt(found.driver().split("\\.")[0]) < 525;
        return !old ? null : new Reason("the driver " + (found.driver() == null ? "" : found.driver() + " ") + "is too old for "
                + FLAVOUR + (found.cuda() == null ? "" : ": it knows CUDA up to " + found.cuda() + ", needed is " + needed + ".0"),
                DRIVER_FIX);
    }

    /** Why a CUDA libtorch that sees GPUs can't use this one, or null if it can. */
    private Reason unusable(int index, Found found) {
        List<Gpu> visible = visible(found.gpus());
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
            return mig ? new Reason("gpu:" + index + " is not there: in MIG mode a process sees one instance",
                    "use gpu:0, and choose the instance by its UUID in CUDA_VISIBLE_DEVICES")
                    : outOfRange(index, Math.max(1, visible.size()));
        }
        if (problem.contains("no kernel image")) {
            String capability = index < visible.size() ? visible.get(index).computeCapability() : null;
            return new Reason("this libtorch has no code for " + gpu
                    + (capability == null ? "" : ", whose compute capability is " + capability),
                    "use another GPU or --device cpu");
        }
        if (problem.contains("out of memory")) {
            return new Reason(gpu + " has no memory left", "end what fills it, or choose another with --device gpu:N");
        }
        return new Reason(gpu + " does not compute: " + firstLine(problem), "check it with nvidia-smi, or use --device cpu");
    }

    private static Reason outOfRange(int index, int count) {
        return new Reason("gpu:" + index + " is not there: " + (count == 1 ? "only gpu:0 is" : "GPUs are gpu:0 to gpu:" + (count - 1)),
                "choose one of these; CUDA_VISIBLE_DEVICES hides GPUs");
    }

    /** Why a libtorch sees no GPU although the driver lists one. */
    private Reason withoutCuda(Libtorch libtorch, Found found) {
        if (libtorch.flavour().equals("cpu")) {
            return new Reason("the libtorch that is used is for the CPU (" + libtorch.origin() + ")", fetchFix());
        }
        String gpus = "libtorch " + libtorch.version() + " " + libtorch.flavour() + " finds no usable GPU";
        if (visible(found.gpus()).stream().anyMatch(Gpu::mig)) {
            return new Reason(gpus + ", and the GPU is in MIG mode",
                    "create an instance (nvidia-smi mig -cgi ... -C) and let this user and container use it");
        }
        return new Reason(gpus, "see libtorch's warning above, if there is one; let this user read and write /dev/nvidia*; in"
                + " Docker run with --gpus all and NVIDIA_DRIVER_CAPABILITIES=compute,utility");
    }

    private static String fetchFix() {
        return "fetch the CUDA libtorch with 'simclr devices --fetch' (about 3 GB), or set PYTORCH_LIBRARY_PATH to an installed one;"
                + " without the launcher take pytorch-native-cpu off the class path";
    }

    /** The folder that PYTORCH_LIBRARY_PATH names, as DJL reads it, or null. */
    private Path named() {
        String path = value("PYTORCH_LIBRARY_PATH");
        for (String p : path == null ? new String[0] : path.split(Pattern.quote(File.pathSeparator))) {
            Path f = Path.of(p);
            if (f.endsWith(library("torch")) && f.getParent() != null && environment.list(f.getParent()).contains(library("torch"))) {
                return f.getParent();
            }
            if (environment.list(f).contains(library("torch"))) {
                return f;
            }
        }
        return null;
    }

    private String library(String name) {
        String system = environment.system();
        return system.startsWith("win") ? name + ".dll" : "lib" + name + (system.startsWith("osx") ? ".dylib" : ".so");
    }

    private boolean hasCuda(Path folder) {
        return environment.list(folder).contains(library("torch_cuda"));
    }

    /** Why what PYTORCH_LIBRARY_PATH names must not be loaded: a binding for another version ends the process. */
    private Reason refused() {
        String path = value("PYTORCH_LIBRARY_PATH");
        if (path == null) {
            return null;
        }
        String binding = bindingVersion();
        Path folder = named();
        if (folder == null) {
            return new Reason("PYTORCH_LIBRARY_PATH=" + path + " holds no " + library("torch"),
                    "name the lib folder of libtorch " + binding + ", or unset it");
        }
        String jni = library("djl_torch");
        if (binding == null || environment.list(folder).stream().anyMatch(f -> f.endsWith(jni))) {
            // It has its own binding.
            return null;
        }
        String version = version(folder);
        if (version != null && !sameVersion(version, binding)) {
            return new Reason("PYTORCH_LIBRARY_PATH=" + path + " is libtorch " + version + ", expected " + binding
                    + ", the one that DJL's binding fits", "install libtorch " + binding + ", or put a " + jni
                    + " that is built for " + version + " into that folder");
        }
        String said = value("PYTORCH_VERSION");
        if (said != null && !sameVersion(said, binding)) {
            return new Reason("PYTORCH_VERSION is " + said + ", expected " + binding + ", the one that DJL's binding fits", "unset it");
        }
        String flavour = value("PYTORCH_FLAVOR");
        String expected = hasCuda(folder) ? FLAVOUR : "cpu";
        if (flavour != null && !flavour.equals(expected)) {
            return new Reason("PYTORCH_FLAVOR is " + flavour + ", expected " + expected + " for " + folder, "unset it");
        }
        return null;
    }

    private static boolean sameVersion(String found, String expected) {
        return found.equals(expected) || found.startsWith(expected + "+") || found.startsWith(expected + "-");
    }

    /** What a libtorch's folder says of its version, such as 2.7.1+cu128; null if nothing. */
    private String version(Path folder) {
        Path parent = folder.toAbsolutePath().getParent();
        if (parent == null) {
            return null;
        }
        String archive = environment.read(parent.resolve("build-version"));
        if (archive != null) {
            return archive.strip();
        }
        String wheel = environment.read(parent.resolve("version.py"));
        Matcher m = PYTHON_VERSION.matcher(wheel == null ? "" : wheel);
        return m.find() ? m.group(1) : null;
    }

    /** The libtorch on the class path that DJL takes, or null. */
    private String bundled() {
        String cpu = null;
        for (Map.Entry<String, Properties> r : environment.resources("native/lib/pytorch.properties").entrySet()) {
            String flavour = r.getValue().getProperty("flavor", "");
            // The address of the file in the jar, without the file.
            String jar = r.getKey().replaceFirst("^jar:", "").replaceFirst("!.*", "").replaceFirst("^file:", "");
            if (flavour.startsWith("cu")) {
                return jar;
            }
            if (flavour.startsWith("cpu") && cpu == null) {
                cpu = jar;
            }
        }
        return cpu;
    }

    private String bindingVersion() {
        return environment.resources("jnilib/pytorch.properties").values().stream()
                .map(p -> p.getProperty("jni_version")).filter(Objects::nonNull).map(v -> v.split("-")[0])
                .findFirst().orElse(null);
    }

    private Path folder(String flavour) {
        return environment.cache().resolve(bindingVersion() + "-" + flavour + "-" + environment.system());
    }

    private boolean cached(String flavour) {
        return environment.list(folder(flavour)).contains(library("torch"));
    }

    /** The flavour that DJL would get wrong: it goes by the CUDA runtime, and adds a suffix that this version does not have. */
    private void setFlavour(boolean gpu) {
        if (value("PYTORCH_FLAVOR") != null || named() == null && bundled() != null) {
            return;
        }
        // The CUDA libtorch computes on the CPU too, if it is the only one at hand.
        boolean cuda = named() != null ? hasCuda(named())
                : gpu || environment.offline() && !cached("cpu") && cached(FLAVOUR);
        environment.flavour(cuda ? FLAVOUR : "cpu");
    }

    private void announce(Progress progress) {
        String flavour = value("PYTORCH_FLAVOR");
        if (named() == null && bundled() == null && flavour != null && !cached(flavour)) {
            progress.line("fetching libtorch " + bindingVersion() + " " + flavour + " from " + SITE + " into " + folder(flavour) + ", once: "
                    + (flavour.startsWith("cu") ? "about 3 GB" : "about 110 MB"));
        }
    }

    private Libtorch libtorch(Environment.Library library) {
        Path folder = library.folder();
        String flavour = "cpu";
        if (hasCuda(folder)) {
            Matcher m = CUDA_IN_NAME.matcher(version(folder) + folder.getFileName());
            flavour = m.find() ? m.group(1) : FLAVOUR;
        }
        String origin = named() != null ? "PYTORCH_LIBRARY_PATH"
                : bundled() != null ? "class path: " + bundled() : "DJL's cache";
        String version = named() == null ? null : version(folder);
        return new Libtorch(version == null ? library.version() : version.replaceFirst("\\+.*", ""), flavour, folder, origin);
    }

    private List<String> cudaRuntimes() {
        List<String> all = new ArrayList<>();
        String path = value("LD_LIBRARY_PATH");
        for (String folder : path == null ? new String[0] : path.split(Pattern.quote(File.pathSeparator))) {
            environment.list(Path.of(folder)).stream().filter(f -> f.startsWith("libcudart.so"))
                    .forEach(f -> all.add(Path.of(folder).resolve(f).toString()));
        }
        Environment.Output loader = environment.run("/sbin/ldconfig", "-p");
        loader.text().lines().filter(l -> l.contains("libcudart.so") && l.contains("=> "))
                .forEach(l -> all.add(l.substring(l.indexOf("=> ") + 3).strip()));
        return all.stream().distinct().toList();
    }

    private static String firstLine(String text) {
        return text.strip().lines().findFirst().orElse("").strip();
    }

    /** The messages of an exception and its first cause. */
    private static String causes(Throwable e) {
        Throwable last = e;
        while (last.getCause() != null) {
            last = last.getCause();
        }
        String first = firstLine(String.valueOf(e.getMessage()));
        return last == e ? first : first + " (" + firstLine(last.toString()) + ")";
    }
}
