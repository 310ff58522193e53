// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.device;

import io.github.simclr4j.train.device.Devices.Libtorch;
import io.github.simclr4j.train.device.Devices.Reason;
import io.github.simclr4j.train.torch.Torch;
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
 * The libtorch that DJL will load.
 *
 * <p>By the rules of DJL's {@code LibUtils} and {@code Platform} (0.36) this is the first of: the one that PYTORCH_LIBRARY_PATH names, one
 * on the class path, the one in its cache, which is fetched if necessary.
 */
record Libraries(Environment environment) {
    /** The only CUDA flavour of DJL's binding. */
    static final String CUDA = "cu128";

    /** The systems for which that binding exists. */
    private static final List<String> CUDA_SYSTEMS = List.of("linux-x86_64", "win-x86_64");

    /** The site that DJL fetches from. */
    static final String SITE = "https://publish.djl.ai";

    private static final Pattern PYTHON_VERSION = Pattern.compile("__version__ = '([^']+)'");
    private static final Pattern CUDA_IN_NAME = Pattern.compile("[-+](cu\\d+)");

    /** Returns why there is no CUDA binding for this system, or null. */
    Reason noBinding() {
        return CUDA_SYSTEMS.contains(environment.system())
                ? null
                : new Reason(
                        "DJL has no CUDA binding for " + environment.system() + ", only for "
                                + String.join(" and ", CUDA_SYSTEMS),
                        "build DJL's native library for this system and set PYTORCH_LIBRARY_PATH to its folder");
    }

    /** Returns the folder that PYTORCH_LIBRARY_PATH names, as DJL reads it, or null. */
    Path named() {
        String path = environment.value("PYTORCH_LIBRARY_PATH");
        for (String p : path == null ? new String[0] : path.split(Pattern.quote(File.pathSeparator))) {
            Path f = Path.of(p);
            // The variable may name the folder or the file.
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

    /** Returns why the library of PYTORCH_LIBRARY_PATH must not be loaded, or null: a binding for another version crashes the process. */
    Reason refused() {
        String path = environment.value("PYTORCH_LIBRARY_PATH");
        String binding = bindingVersion();
        String said = environment.value("PYTORCH_VERSION");
        if (path == null) {
            // With network access DJL fetches that version and a binding for it.
            boolean fits = said == null || binding == null || binding.startsWith(said) || !environment.offline();
            return fits ? null : wrongVersion(said, binding);
        }
        Path folder = named();
        if (folder == null) {
            return new Reason(
                    "PYTORCH_LIBRARY_PATH=" + path + " holds no " + library("torch"),
                    "set it to the lib folder of libtorch " + binding + ", or unset it");
        }
        String jni = library("djl_torch");
        if (binding == null || environment.list(folder).stream().anyMatch(f -> f.endsWith(jni))) {
            // The library has its own binding.
            return null;
        }
        String version = version(folder);
        if (version != null && !sameVersion(version, binding)) {
            return new Reason(
                    "PYTORCH_LIBRARY_PATH=" + path + " is libtorch " + version + ", expected " + binding
                            + ", which DJL's binding requires",
                    "install libtorch " + binding + ", or put a " + jni + " that is built for " + version
                            + " into that folder");
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
                "PYTORCH_VERSION is " + said + ", expected " + binding + ", which DJL's binding requires", "unset it");
    }

    /** Returns the name of the CUDA libtorch for messages. */
    String cudaName() {
        return "libtorch " + bindingVersion() + " " + CUDA;
    }

    private static boolean sameVersion(String found, String expected) {
        return found.equals(expected) || found.startsWith(expected + "+") || found.startsWith(expected + "-");
    }

    /** Returns the version in a libtorch's folder, such as 2.7.1+cu128; null if it has none. */
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

    /** Returns the libtorch on the class path that DJL loads, or null. */
    String bundled() {
        String cpu = null;
        for (Map.Entry<String, Properties> r :
                environment.resources("native/lib/pytorch.properties").entrySet()) {
            String flavour = r.getValue().getProperty("flavor", "");
            // The URL of the jar, without the file inside it.
            String jar =
                    r.getKey().replaceFirst("^jar:", "").replaceFirst("!.*", "").replaceFirst("^file:", "");
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
                .map(p -> p.getProperty("jni_version"))
                .filter(Objects::nonNull)
                .map(v -> v.split("-")[0])
                .findFirst()
                .orElse(null);
    }

    Path folder(String flavour) {
        return environment.cache().resolve(bindingVersion() + "-" + flavour + "-" + environment.system());
    }

    boolean cached(String flavour) {
        return environment.list(folder(flavour)).contains(library("torch"));
    }

    /** Sets the flavour. DJL would derive it from the CUDA runtime and add a suffix that this version does not have. */
    void setFlavour(boolean gpu) {
        if (environment.value("PYTORCH_FLAVOR") != null || named() == null && bundled() != null) {
            return;
        }
        // The CUDA libtorch also computes on the CPU, if it is the only one available.
        boolean cuda =
                named() != null ? hasCuda(named()) : gpu || environment.offline() && !cached("cpu") && cached(CUDA);
        environment.flavour(cuda ? CUDA : "cpu");
    }

    /** Prepares and announces a download that loading the engine will start. */
    void beforeDownload(Progress progress) {
        String flavour = environment.value("PYTORCH_FLAVOR");
        if (named() == null && bundled() == null && flavour != null && !cached(flavour) && !environment.offline()) {
            // DJL may have extracted the binding into this folder, which would keep it from moving the download there.
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
        String origin = named() != null
                ? "PYTORCH_LIBRARY_PATH"
                : bundled() != null ? "class path: " + bundled() : "DJL's cache";
        String version = named() == null ? null : version(folder);
        return new Libtorch(
                version == null ? library.version() : version.replaceFirst("\\+.*", ""), flavour, folder, origin);
    }
}
