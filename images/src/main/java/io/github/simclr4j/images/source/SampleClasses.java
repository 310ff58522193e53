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
 * Classes that stand in files beside the images of an archive, as WebDataset and img2dataset write them: files of one sample
 * share the name up to the first dot. A {@code .cls} file holds the class as text, mostly a number; a {@code .json} file may
 * have it in its field {@code label}, {@code class} or {@code cls}; a {@code .txt} file holds a class, or a caption, which is
 * none: where a text has more than one line or 200 characters, or where more than 20 differ and most occur once, none of them is
 * a class. Where an image has several of these files, the first of them that names a class counts.
 */
final class SampleClasses {
    private static final List<String> FIELDS = List.of("label", "class", "cls");
    /** A file that names a class is small. */
    private static final int LONGEST_FILE = 1 << 20;
    private static final int LONGEST_CLASS = 200;
    /** So many different texts may be classes even if each occurs once. */
    private static final int FEW = 20;
    private static final String CAPTION = "";

    private final Map<String, String> cls = new HashMap<>();
    private final Map<String, String> json = new HashMap<>();
    private final Map<String, String> texts = new HashMap<>();
    /** What is wrong with a file, by its name. */
    private final Map<String, String> unreadable = new TreeMap<>();

    /** Whether a member of an archive may name a class. */
    static boolean isWanted(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return (lower.endsWith(".cls") || lower.endsWith(".json") || lower.endsWith(".txt")) && !ImageNames.isHidden(name);
    }

    /** Reads a file of an archive. */
    interface Content {
        byte[] read() throws IOException;
    }

    /**
     * Takes a file that is {@linkplain #isWanted wanted}.
     *
     * @param length in bytes; one that is too long names no class
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
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString().strip();
            if (ending.equals("json")) {
                put(json, sample, field(text));
            } else if (ending.equals("cls")) {
                put(cls, sample, name(text));
            } else if (sample.toLowerCase(Locale.ROOT).endsWith(".cls")) {
                // Some writers call it sample.cls.txt.
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

    /** The name up to its last dot. */
    private static String stem(String name) {
        int dot = name.lastIndexOf('.');
        return dot > name.lastIndexOf('/') ? name.substring(0, dot) : name;
    }

    /** The name up to the first dot behind its folders. */
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
                // 3.0 is the class that others call 3.
                return name(value.isNumber() && name.matches("-?\\d{1,15}\\.0+") ? new BigDecimal(name).toBigInteger().toString()
                        : name);
            }
        }
        return null;
    }

    /**
     * Returns the classes of images: those of these files, or of their folders if the files name none. Folders that name at
     * least two classes come before {@code .txt} files, which may be anything.
     *
     * @param images names, with slashes
     * @param archive what a warning calls the archive
     */
    Labels labels(List<String> images, String archive, Progress progress) {
        warn(images, archive, progress);
        List<String> named = names(images, List.of(cls, json));
        boolean explicit = named.stream().anyMatch(Objects::nonNull);
        Labels folders = Labels.ofFolders(images, true);
        List<String> present = names(images, List.of(texts)).stream().filter(Objects::nonNull).toList();
        Set<String> different = new HashSet<>(present);
        boolean usable = !present.isEmpty() && !different.contains(CAPTION)
                && (different.size() <= FEW || different.size() <= present.size() / 2);
        if (!explicit && (!usable || folders.classes().size() > 1)) {
            return folders;
        }
        return Labels.ofNames(usable ? names(images, List.of(cls, json, texts)) : named);
    }

    private void warn(List<String> images, String archive, Progress progress) {
        Set<String> samples = new HashSet<>();
        images.forEach(image -> samples.addAll(List.of(stem(image), base(image))));
        List<String> wrong = unreadable.keySet().stream().filter(name -> samples.contains(stem(name))).toList();
        if (!wrong.isEmpty()) {
            progress.warn(archive + ": of " + wrong.size() + (wrong.size() == 1 ? " file" : " files") + " beside the images no class"
                    + " can be read, such as " + wrong.get(0) + ", which is " + unreadable.get(wrong.get(0)));
        }
    }

    /** The name of each image's class in the first of some maps that has one; null for none. */
    private static List<String> names(List<String> images, List<Map<String, String>> sources) {
        List<String> names = new ArrayList<>();
        for (String image : images) {
            names.add(sources.stream().map(s -> s.getOrDefault(stem(image), s.get(base(image))))
                    .filter(Objects::nonNull).findFirst().orElse(null));
        }
        return names;
    }
}
