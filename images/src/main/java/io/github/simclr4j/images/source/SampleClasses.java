// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import io.github.simclr4j.images.ImageNames;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/**
 * Reads classes from files beside the images of an archive, as written by WebDataset and img2dataset. Files of one sample have the same
 * name up to the first dot:
 *
 * <ol>
 *   <li>A {@code .cls} file contains the class as text, usually a number.
 *   <li>A {@code .json} file may contain the class in its field {@code label}, {@code class} or {@code cls}.
 *   <li>A {@code .txt} file contains a class or a caption. Texts are captions if one of them has more than one line or 200 characters,
 *       or if there are more than 20 different texts and most occur once.
 * </ol>
 *
 * <p>If an image has several of these files, the first that names a class counts.
 */
final class SampleClasses {
    private static final List<String> FIELDS = List.of("label", "class", "cls");
    /** Maximum size of a file that names a class, in bytes. */
    private static final int LONGEST_FILE = 1 << 20;

    private static final int LONGEST_CLASS = 200;
    /** Number of different texts that may be classes even if each occurs only once. */
    private static final int FEW = 20;

    private static final String CAPTION = "";

    private final Map<String, String> cls = new HashMap<>();
    private final Map<String, String> json = new HashMap<>();
    private final Map<String, String> texts = new HashMap<>();
    /** Reasons why files could not be read, by their names. */
    private final Map<String, String> unreadable = new TreeMap<>();

    /** Returns whether a member of an archive may name a class. */
    static boolean isWanted(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return (lower.endsWith(".cls") || lower.endsWith(".json") || lower.endsWith(".txt"))
                && !ImageNames.isHidden(name);
    }

    /** Reads the content of a member of an archive. */
    interface Content {
        byte[] read() throws IOException;
    }

    /**
     * Adds a file that is {@linkplain #isWanted wanted}.
     *
     * @param length length in bytes; files that are too long are ignored
     * @throws IOException if the archive can't be read
     */
    void add(String name, long length, Content content) throws IOException {
        if (length > LONGEST_FILE) {
            return;
        }
        String sample = stem(name);
        String ending = name.substring(sample.length() + 1).toLowerCase(Locale.ROOT);
        byte[] bytes = content.read();
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString()
                    .strip();
            if (ending.equals("json")) {
                put(json, sample, field(text));
            } else if (ending.equals("cls")) {
                put(cls, sample, name(text));
            } else if (sample.toLowerCase(Locale.ROOT).endsWith(".cls")) {
                // Some tools name it sample.cls.txt.
                put(cls, stem(sample), name(text));
            } else {
                texts.put(sample, Objects.requireNonNullElse(name(text), CAPTION));
            }
        } catch (CharacterCodingException e) {
            unreadable.put(name, "not UTF-8");
        } catch (JsonParseException e) {
            unreadable.put(name, "not JSON");
        }
    }

    private static void put(Map<String, String> classes, String sample, String name) {
        if (name != null) {
            classes.put(sample, name);
        }
    }

    /** Returns a name up to its last dot. */
    private static String stem(String name) {
        int dot = name.lastIndexOf('.');
        return dot > name.lastIndexOf('/') ? name.substring(0, dot) : name;
    }

    /** Returns a name up to the first dot after its folders. */
    private static String base(String name) {
        int dot = name.indexOf('.', name.lastIndexOf('/') + 1);
        return dot < 0 ? name : name.substring(0, dot);
    }

    private static String name(String text) {
        return text.isEmpty() || text.length() > LONGEST_CLASS || text.lines().count() > 1 ? null : text;
    }

    private static String field(String text) {
        JsonElement whole = JsonParser.parseString(text);
        if (!(whole instanceof JsonObject object)) {
            return null;
        }
        for (String field : FIELDS) {
            if (object.get(field) instanceof JsonPrimitive value) {
                String name = value.getAsString().strip();
                // 3.0 and 3 are the same class.
                return name(
                        value.isNumber() && name.matches("-?\\d{1,15}\\.0+")
                                ? new BigDecimal(name).toBigInteger().toString()
                                : name);
            }
        }
        return null;
    }

    /**
     * Returns the labels of images, from these files, or from their folders if the files name no classes. Folders with at least two
     * classes take precedence over {@code .txt} files.
     *
     * @param images names of the images, with slashes
     * @param archive the archive's name in warnings
     */
    Labels labels(List<String> images, String archive, Progress progress) {
        warn(images, archive, progress);
        List<String> named = names(images, List.of(cls, json));
        boolean explicit = named.stream().anyMatch(Objects::nonNull);
        Labels folders = Labels.ofFolders(images, true);
        List<String> present =
                names(images, List.of(texts)).stream().filter(Objects::nonNull).toList();
        Set<String> different = new HashSet<>(present);
        boolean usable = !present.isEmpty()
                && !different.contains(CAPTION)
                && (different.size() <= FEW || different.size() <= present.size() / 2);
        if (!explicit && (!usable || folders.classes().size() > 1)) {
            return folders;
        }
        return Labels.ofNames(usable ? names(images, List.of(cls, json, texts)) : named);
    }

    private void warn(List<String> images, String archive, Progress progress) {
        Set<String> samples = new HashSet<>();
        images.forEach(image -> samples.addAll(List.of(stem(image), base(image))));
        List<String> wrong = unreadable.keySet().stream()
                .filter(name -> samples.contains(stem(name)))
                .toList();
        if (!wrong.isEmpty()) {
            progress.warn(archive + ": can't read a class from " + wrong.size()
                    + (wrong.size() == 1 ? " file" : " files") + " beside the images, such as " + wrong.get(0)
                    + ", which is " + unreadable.get(wrong.get(0)));
        }
    }

    /** Returns the name of each image's class from the first map that contains it, or null. */
    private static List<String> names(List<String> images, List<Map<String, String>> sources) {
        List<String> names = new ArrayList<>();
        for (String image : images) {
            names.add(sources.stream()
                    .map(s -> s.getOrDefault(stem(image), s.get(base(image))))
                    .filter(Objects::nonNull)
                    .findFirst()
                    .orElse(null));
        }
        return names;
    }
}
