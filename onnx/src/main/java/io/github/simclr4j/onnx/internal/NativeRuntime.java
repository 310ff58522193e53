// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.internal;

import ai.onnxruntime.OrtEnvironment;
import io.github.simclr4j.util.OwnedFolder;
import io.github.simclr4j.util.TemporarySpace;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Loads ONNX Runtime's native libraries without leaving temporary files behind. By itself ONNX Runtime copies them into a temporary
 * folder whose files remain if the process is killed. This class copies them into a marked folder, which is deleted as soon as they are
 * loaded if the operating system allows that, and otherwise by the next process.
 */
public final class NativeRuntime {
    private static final String PATH = "onnxruntime.native.path";
    private static final List<String> LIBRARIES = List.of("onnxruntime", "onnxruntime4j_jni");
    /** The library that ONNX Runtime loads when a provider is requested. */
    private static final String SHARED = "onnxruntime_providers_shared";

    private static final List<String> OTHERS = List.of("cuda", "tensorrt", "rocm", "dnnl", "openvino", "qnn");

    private static boolean loaded;
    /** Holds the lock on a folder that can't be deleted while the process runs. */
    private static OwnedFolder kept;

    private NativeRuntime() {}

    /**
     * Loads the libraries, unless they are loaded already.
     *
     * @throws IllegalStateException if they can't be loaded; the message states the reason and the remedy
     */
    public static synchronized void load() {
        if (loaded) {
            return;
        }
        if (isOwn()) {
            try {
                loadOwn();
            } catch (IOException e) {
                throw new IllegalStateException(e.getMessage(), e);
            }
        }
        try {
            OrtEnvironment.getEnvironment();
        } catch (LinkageError e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new IllegalStateException(
                    "ONNX Runtime's native library can't be loaded: "
                            + (cause.getCause() == null ? cause : cause.getCause()) + "; it is first copied to "
                            + TemporarySpace.folder()
                            + ": check that folder, or choose another one by the Java property java.io.tmpdir",
                    e);
        }
        loaded = true;
    }

    /** Returns whether the libraries come from the jar. ONNX Runtime finds those of GPU providers by itself. */
    private static boolean isOwn() {
        return System.getProperties().stringPropertyNames().stream().noneMatch(p -> p.startsWith("onnxruntime.native."))
                && LIBRARIES.stream().allMatch(NativeRuntime::isThere)
                && OTHERS.stream().noneMatch(p -> isThere("onnxruntime_providers_" + p));
    }

    private static boolean isThere(String library) {
        return OrtEnvironment.class.getResource(resource(library)) != null;
    }

    /** Returns the path of a library in ONNX Runtime's jar. */
    private static String resource(String library) {
        String os = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        String platform = (os.contains("mac") || os.contains("darwin") ? "osx" : os.contains("win") ? "win" : "linux")
                + "-" + (arch.startsWith("amd64") || arch.startsWith("x86_64") ? "x64" : arch);
        return "/ai/onnxruntime/native/" + platform + "/" + file(library);
    }

    private static String file(String library) {
        return System.mapLibraryName(library).replace("jnilib", "dylib");
    }

    private static void loadOwn() throws IOException {
        OwnedFolder folder = OwnedFolder.create("onnxruntime");
        try {
            for (String library : LIBRARIES) {
                copy(library, folder.path());
            }
            if (isThere(SHARED)) {
                copy(SHARED, folder.path());
            }
            System.setProperty(PATH, folder.path().toString());
            try {
                OrtEnvironment.getEnvironment();
            } catch (LinkageError e) {
                // The caller gets the same error and reports it.
                return;
            } finally {
                System.clearProperty(PATH);
                deleteEmptyFolder();
            }
        } finally {
            if (folder.path().getFileSystem().getSeparator().equals("/")) {
                // Loaded libraries need no file name any more.
                folder.close();
            } else {
                kept = folder;
            }
        }
    }

    private static void copy(String library, Path folder) throws IOException {
        try (InputStream in = OrtEnvironment.class.getResourceAsStream(resource(library))) {
            Files.copy(in, folder.resolve(file(library)));
        } catch (IOException e) {
            throw TemporarySpace.unusable(e);
        }
    }

    /** Deletes the folder that ONNX Runtime creates even if it needs none, and deletes only if the process ends normally. */
    private static void deleteEmptyFolder() {
        try {
            Field field = Class.forName("ai.onnxruntime.OnnxRuntime").getDeclaredField("tempDirectory");
            field.setAccessible(true);
            if (field.get(null) instanceof Path folder) {
                Files.deleteIfExists(folder);
            }
        } catch (ReflectiveOperationException | RuntimeException | IOException e) {
            // ONNX Runtime deletes it at the end of the process.
            return;
        }
    }
}
