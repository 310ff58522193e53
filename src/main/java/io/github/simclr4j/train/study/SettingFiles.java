// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.network.EncoderFamilies;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.method.Methods;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/**
 * Replaces the files that settings name by hashes of their content. A study then continues with a file that was moved, but not with
 * another file of the same name. Not thread-safe.
 */
final class SettingFiles {
    private static final String INIT = "init";

    private final Set<String> names = new HashSet<>();
    private final Map<Path, String> hashes = new HashMap<>();

    /**
     * Collects the settings that are paths: the encoder to start from, and the options of methods, encoders and a study that are
     * declared as paths.
     *
     * @param ofStudy the study's own options
     */
    SettingFiles(List<Option<?>> ofStudy) {
        names.add(INIT);
        add("", ofStudy);
        Methods.all().forEach(m -> {
            add("", m.options());
            add(m.name() + "-", m.options());
        });
        EncoderFamilies.all().forEach(f -> add("", f.options()));
    }

    private SettingFiles(Set<String> names) {
        this.names.addAll(names);
    }

    private void add(String prefix, List<Option<?>> options) {
        options.stream().filter(o -> o.type() == Path.class).forEach(o -> names.add(prefix + o.name()));
    }

    /**
     * Returns settings with hashes instead of files, and without folders, whose location has no effect on a result. The hash of a file is
     * that of the first call.
     *
     * @param settings values by name
     * @throws IOException if a file cannot be read
     */
    Map<String, String> hashed(Map<String, String> settings) throws IOException {
        Map<String, String> hashed = new TreeMap<>(settings);
        for (Map.Entry<String, String> e : settings.entrySet()) {
            if (!names.contains(e.getKey())) {
                continue;
            }
            Path file = Path.of(e.getValue().strip());
            if (Files.isRegularFile(file)) {
                hashed.put(e.getKey(), e.getKey().equals(INIT) ? hash(file) : hash(file) + configuration(file));
            } else if (e.getKey().equals(INIT)) {
                throw new IOException("The encoder of the setting init must be an existing file, found " + file);
            } else {
                hashed.remove(e.getKey());
            }
        }
        return hashed;
    }

    /**
     * Checks that files are still what they were when they were hashed, which may have been hours ago.
     *
     * @param settings values by name
     * @throws IOException if a file has changed or cannot be read; the message names its setting
     */
    void checkUnchanged(Map<String, String> settings) throws IOException {
        Map<String, String> before = hashed(settings);
        Map<String, String> now = new SettingFiles(names).hashed(settings);
        for (String name : names) {
            if (!Objects.equals(before.get(name), now.get(name))) {
                throw new IOException("The file of the setting " + name + " has changed since the study began: found "
                        + now.get(name) + ", expected " + before.get(name));
            }
        }
    }

    private String hash(Path file) throws IOException {
        String known = hashes.get(file);
        if (known == null) {
            known = "the file with SHA-256 " + sha256(file);
            hashes.put(file, known);
        }
        return known;
    }

    /** Returns the SHA-256 of a file, and of the external data if it is an encoder. */
    private static String sha256(Path file) throws IOException {
        try {
            return OnnxEncoder.sha256(file);
        } catch (InvalidEncoderException e) {
            return Sha256.hex(Files.readAllBytes(file));
        }
    }

    /** Returns the hashes of the configuration files beside an encoder, which may have settings that the encoder's file lacks. */
    private String configuration(Path file) throws IOException {
        StringBuilder all = new StringBuilder();
        for (String name : EncoderSettings.CONFIGURATIONS) {
            Path beside = file.resolveSibling(name);
            if (Files.isRegularFile(beside) && !beside.equals(file)) {
                all.append(" beside ").append(name).append(", ").append(hash(beside));
            }
        }
        return all.toString();
    }
}
