// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.ImageNames;
import io.github.simclr4j.images.LeftOut;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** No image is left out of a set without a word. */
class LeftOutTest {
    private static final Map<String, Integer> KINDS = new TreeMap<>(Map.of("HEIC", 2, "CR2", 1, LeftOut.NO_ENDING, 2));

    @TempDir
    Path dir;

    private final Map<String, Object> members = new LinkedHashMap<>();

    @BeforeEach
    void fill() throws IOException {
        byte[] png = Samples.png(0, 8, 8);
        for (String read : List.of("set/a.png", "set/b.JFIF", "set/c.jpe", "set/d.jfi", "set/e.dib", "set/f.apng")) {
            members.put(read, png);
        }
        members.put("set/g.heic", "x");
        members.put("set/h.HEIC", "x");
        members.put("set/i.cr2", "x");
        members.put("set/noext", png);
        members.put("set/sub.dir/noext", "GIF89a");
        members.put("set/README", "some text");
        members.put("set/x.jpg.bak", png);
        members.put("set/notes.txt", "text");
        members.put("set/.hidden.heic", "x");
        members.put("set/__MACOSX/._g.heic", "x");
    }

    private void check(Path set) throws IOException {
        Archives.Warnings warnings = new Archives.Warnings();
        try (ImageSource source = ImageSource.open(set, warnings);
                ImageSource one = source.sample(1, 0)) {
            assertEquals(6, source.size());
            assertEquals(KINDS, source.leftOut().kinds());
            assertEquals(5, source.leftOut().count());
            assertEquals(KINDS, one.leftOut().kinds());
            assertEquals(
                    List.of(set
                            + ": 5 image files left out: 1 CR2, 2 HEIC, 2 without an ending; supported are JPEG, PNG,"
                            + " WebP, BMP, GIF and TIFF"),
                    warnings.all);
        }
    }

    @Test
    void inAFolder() throws IOException {
        for (Map.Entry<String, Object> m : members.entrySet()) {
            byte[] bytes =
                    m.getValue() instanceof String text ? text.getBytes(StandardCharsets.UTF_8) : (byte[]) m.getValue();
            Samples.write(dir.resolve("folder").resolve(m.getKey()), bytes);
        }
        check(dir.resolve("folder"));
        assertEquals(
                KINDS,
                ImageSource.folder(dir.resolve("folder"))
                        .orElseThrow()
                        .leftOut()
                        .kinds());
    }

    @Test
    void inArchives() throws IOException {
        check(Samples.write(dir.resolve("a.zip"), Archives.zip(members)));
        check(Samples.write(dir.resolve("a.tar"), Archives.tar(members)));
        check(Samples.write(dir.resolve("a.tgz"), Samples.gzip(Archives.tar(members))));
    }

    @Test
    void theCountOfShardsIsTheirSum() throws IOException {
        Samples.write(dir.resolve("s-0.tar"), Archives.tar(members));
        Samples.write(dir.resolve("s-1.tar"), Archives.tar(members));
        try (ImageSource source = ImageSource.open(dir.resolve("s-{0..1}.tar"))) {
            assertEquals(12, source.size());
            assertEquals(10, source.leftOut().count());
        }
    }

    @Test
    void aSetOfNothingElseSaysWhatWasFound() throws IOException {
        Map<String, Object> heic = Map.of("a.heic", "x", "b.heic", "x");
        List<Path> sets = List.of(
                Samples.write(dir.resolve("folder/a.heic"), new byte[1]).getParent(),
                Samples.write(dir.resolve("a.zip"), Archives.zip(heic)),
                Samples.write(dir.resolve("a.tar"), Archives.tar(heic)));
        for (Path set : sets) {
            String message =
                    assertThrows(IOException.class, () -> ImageSource.open(set)).getMessage();
            assertTrue(message.contains(" left out: ") && message.contains(" HEIC"), message);
        }
    }

    @Test
    void imagesAreKnownByTheirFirstBytes() {
        for (String first : List.of(
                "\u00ff\u00d8\u00ff\u00e0",
                "\u0089PNG\r\n\u001a\n",
                "GIF87a",
                "RIFF\0\0\0\0WEBPVP8 ",
                "II*\0",
                "MM\0*",
                "BM\0\0\0\0\0\0\0\0\0\0\0\0\u0028\0\0\0",
                "\0\0\0\u0018ftypheic",
                "\0\0\0\u001cftypavif",
                "\u00ff\n\u00fa",
                "\0\0\0\fjP  \r\n",
                "P6\n8 8\n255\n",
                "8BPS\0\u0001",
                "\0\0\u0001\0\u0001\0\u0010\u0010\0\0",
                "<?xml version=\"1.0\"?>\n<svg ")) {
            assertTrue(ImageNames.startsAsImage(first.getBytes(StandardCharsets.ISO_8859_1)), first);
        }
        for (String first : List.of(
                "",
                "B",
                "BMW is a car of a kind",
                "PK\u0003\u0004",
                "P6 or so",
                "<html>",
                "\0\0\0\u0018ftypisom",
                "\u007fELF\u0002",
                "RIFF\0\0\0\0WAVE",
                "\0\0\1\0")) {
            assertTrue(
                    !ImageNames.startsAsImage(first.getBytes(StandardCharsets.ISO_8859_1)) || first.startsWith("P6"),
                    first);
        }
        for (int length = 0; length < 64; length++) {
            byte[] bytes = new byte[length];
            Arrays.fill(bytes, (byte) 'B');
            assertTrue(!ImageNames.startsAsImage(bytes));
        }
    }
}
