package io.github.simclr4j.train.device;

import io.github.simclr4j.train.torch.Torch;
import io.github.simclr4j.train.device.Devices.Libtorch;
import io.github.simclr4j.train.device.Devices.Reason;
import io.github.simclr4j.util.Progress;
import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The libtorch that DJL will load. By the rules of its {@code LibUtils} and {@code Platform} (0.36) that is the one that
 * PYTORCH_LIBRARY_PATH names, else one on the class path, else the one of its cache, fetched if need be.
 */
record Libraries(Environment environment) {
    /** The only CUDA flavour of the binding. */
    static final String CUDA = "cu128";

    /** Where that binding exists. */
    private static final List<String> CUDA_SYSTEMS = List.of("linux-x86_64", "win-x86_64");

    /** Where DJL fetches from. */
    static final String SITE = "https://publish.djl.ai";

    private static final Pattern PYTHON_VERSION = Pattern.compile("__version__ = '([^']+)'");
    private static final Pattern CUDA_IN_NAME = Pattern.compile("[-+](cu\\d+)");

    /** Why there is no CUDA binding for this system, or null. */
    Reason noBinding() {
        return CUDA_SYSTEMS.contains(environment.system()) ? null : new Reason(
                "DJL has no CUDA binding for " + environment.system() + ", only for " + String.join(" and ", CUDA_SYSTEMS),
                "build DJL's native library for this system and name its folder in PYTORCH_LIBRARY_PATH");
    }

    /** The folder that PYTORCH_LIBRARY_PATH names, as DJL reads it, or null. */
    Path named() {
        String path = environment.value("PYTORCH_LIBRARY_PATH");
        for (String p : path == null ? new String[0] : path.split(Pattern.quote(File.pathSeparator))) {
            Path f = Path.of(p);
            // The folder, or the file itself.
            Path folder = f.endsWith(library("torch")) ? f.toAbsolutePath().getParent() : f;
            if (environment.list(folder).contains(library("torch"))) {
                return folder;
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
    Reason refused() {
        String path = environment.value("PYTORCH_LIBRARY_PATH");
        String binding = bindingVersion();
        String said = environment.value("PYTORCH_VERSION");
        if (path == null) {
            // Online, DJL fetches that version and a binding for it.
            boolean fits = said == null || binding == null || binding.startsWith(said) || !environment.offline();
            return fits ? null : wrongVersion(said, binding);
        }
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
        if (said != null && !sameVersion(said, binding)) {
            return wrongVersion(said, binding);
        }
        String flavour = environment.value("PYTORCH_FLAVOR");
        String expected = hasCuda(folder) ? CUDA : "cpu";
        if (flavour != null && !flavour.equals(expected)) {
            return new Reason("PYTORCH_FLAVOR is " + flavour + ", expected " + expected + " for " + folder, "unset it");
        }
        return null;
    }

    private static Reason wrongVersion(String said, String binding) {
        return new Reason(
                "PYTORCH_VERSION is " + said + ", expected " + binding + ", the one that DJL's binding fits", "unset it");
    }

    /** The CUDA libtorch, in words. */
    String cudaName() {
        return "libtorch " + bindingVersion() + " " + CUDA;
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
    String bundled() {
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

    String bindingVersion() {
        return environment.resources("jnilib/pytorch.properties").values().stream()
                .map(p -> p.getProperty("jni_version")).filter(Objects::nonNull).map(v -> v.split("-")[0])
                .findFirst().orElse(null);
    }

    Path folder(String flavour) {
        return environment.cache().resolve(bindingVersion() + "-" + flavour + "-" + environment.system());
    }

    boolean cached(String flavour) {
        return environment.list(folder(flavour)).contains(library("torch"));
    }

    /** Sets the flavour, which DJL gets wrong: it goes by the CUDA runtime, and adds a suffix that this version does not have. */
    void setFlavour(boolean gpu) {
        if (environment.value("PYTORCH_FLAVOR") != null || named() == null && bundled() != null) {
            return;
        }
        // The CUDA libtorch computes on the CPU too, if it is the only one at hand.
        boolean cuda = named() != null ? hasCuda(named())
                : gpu || environment.offline() && !cached("cpu") && cached(CUDA);
        environment.flavour(cuda ? CUDA : "cpu");
    }

    /** Makes way for a download that loading the engine begins, and announces it. */
    void beforeDownload(Progress progress) {
        String flavour = environment.value("PYTORCH_FLAVOR");
        if (named() == null && bundled() == null && flavour != null && !cached(flavour) && !environment.offline()) {
            // DJL extracts the binding for a libtorch elsewhere into this folder, and then can't move what it fetched to it.
            environment.delete(folder(flavour));
            progress.line("fetching libtorch " + bindingVersion() + " " + flavour + " from " + SITE + " into "
                    + folder(flavour) + ", once: " + (flavour.startsWith("cu") ? "about 3 GB" : "about 110 MB"));
        }
    }

    Libtorch describe(Torch.Library library) {
        Path folder = library.folder();
        String flavour = "cpu";
        if (hasCuda(folder)) {
            Matcher m = CUDA_IN_NAME.matcher(version(folder) + folder.getFileName());
            flavour = m.find() ? m.group(1) : CUDA;
        }
        String origin = named() != null ? "PYTORCH_LIBRARY_PATH"
                : bundled() != null ? "class path: " + bundled() : "DJL's cache";
        String version = named() == null ? null : version(folder);
        return new Libtorch(
                version == null ? library.version() : version.replaceFirst("\\+.*", ""), flavour, folder, origin);
    }
}
