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
 * Loads ONNX Runtime's native libraries so that nothing stays behind. Left to itself, ONNX Runtime copies them into a folder of its own
 * which it never deletes, and whose libraries stay if the process is killed. Here they are copied into a marked folder, which is deleted
 * as soon as they are loaded where the system allows that, and by the next process otherwise.
 */
public final class NativeRuntime {
    private static final String PATH = "onnxruntime.native.path";
    private static final List<String> LIBRARIES = List.of("onnxruntime", "onnxruntime4j_jni");
    /** Loaded by ONNX Runtime when a provider is asked for. */
    private static final String SHARED = "onnxruntime_providers_shared";
    private static final List<String> OTHERS = List.of("cuda", "tensorrt", "rocm", "dnnl", "openvino", "qnn");

    private static boolean loaded;
    /** Keeps the lock on a folder that can't be deleted while the process lives. */
    private static OwnedFolder kept;

    private NativeRuntime() {}

    /**
     * Loads the libraries unless they are.
     *
     * @throws IllegalStateException if they can't be loaded; the message says why and what to do
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
            throw new IllegalStateException("ONNX Runtime's native library can't be loaded: "
                    + (cause.getCause() == null ? cause : cause.getCause()) + "; it is copied to " + TemporarySpace.folder()
                    + " first, the folder that the Java property java.io.tmpdir names", e);
        }
        loaded = true;
    }

    /** Whether the libraries are those of the jar and nobody says otherwise; those of a GPU's providers are found by ONNX Runtime alone. */
    private static boolean isOwn() {
        return System.getProperties().stringPropertyNames().stream().noneMatch(p -> p.startsWith("onnxruntime.native."))
                && LIBRARIES.stream().allMatch(NativeRuntime::isThere) && OTHERS.stream().noneMatch(p -> isThere("onnxruntime_providers_" + p));
    }

    private static boolean isThere(String library) {
        return OrtEnvironment.class.getResource(resource(library)) != null;
    }

    /** Where a library is in the jar, as ONNX Runtime has it. */
    private static String resource(String library) {
        String os = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        String platform = (os.contains("mac") || os.contains("darwin") ? "osx" : os.contains("win") ? "win" : "linux") + "-"
                + (arch.startsWith("amd64") || arch.startsWith("x86_64") ? "x64" : arch);
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
                // Said by the caller, who meets it again.
                return;
            } finally {
                System.clearProperty(PATH);
                deleteEmptyFolder();
            }
        } finally {
            if (folder.path().getFileSystem().getSeparator().equals("/")) {
                // What is loaded needs no name any more.
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

    /** ONNX Runtime makes a folder even if it needs none, and deletes it if the process ends in the usual way. */
    private static void deleteEmptyFolder() {
        try {
            Field field = Class.forName("ai.onnxruntime.OnnxRuntime").getDeclaredField("tempDirectory");
            field.setAccessible(true);
            if (field.get(null) instanceof Path folder) {
                Files.deleteIfExists(folder);
            }
        } catch (ReflectiveOperationException | RuntimeException | IOException e) {
            // Then ONNX Runtime does it at the end of the process.
            return;
        }
    }
}
