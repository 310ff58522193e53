// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Classes in files beside the images of an archive, as WebDataset has them. */
class SampleClassesTest {
    @TempDir
    Path dir;

    private final Map<String, Object> members = new LinkedHashMap<>();
    private final Archives.Warnings warnings = new Archives.Warnings();
    private byte[] png;

    @BeforeEach
    void draw() throws IOException {
        png = Samples.png(0, 8, 8);
    }

    /** A sample: an image, and files beside it by their endings. */
    private void sample(String name, String... endingsAndTexts) {
        members.put(name + ".png", png);
        for (int i = 0; i < endingsAndTexts.length; i += 2) {
            members.put(name + "." + endingsAndTexts[i], endingsAndTexts[i + 1]);
        }
    }

    private void expect(String... classes) throws IOException {
        byte[] tar = Archives.tar(members);
        for (Path file : List.of(
                Samples.write(dir.resolve("s.tar"), tar),
                Samples.write(dir.resolve("s.tar.gz"), Samples.gzip(tar)),
                Samples.write(dir.resolve("s.zip"), Archives.zip(members)))) {
            warnings.all.clear();
            try (ImageSource source = ImageSource.open(file, warnings)) {
                assertEquals(List.of(classes), Archives.classes(source), file.toString());
            }
        }
    }

    @Test
    void ofClsFiles() throws IOException {
        sample("a/000", "cls", "10\n", "json", "{\"label\": 7}", "txt", "a caption");
        sample("a/001", "CLS", " 9 ");
        sample("b/002", "cls", "10");
        sample("b/003");
        expect("10", "9", "10", "-");
        try (ImageSource source = ImageSource.open(dir.resolve("s.tar"))) {
            assertEquals(List.of("9", "10"), source.classes());
        }
    }

    @Test
    void ofFieldsOfJson() throws IOException {
        sample("0", "json", "{\"label\": 3, \"width\": 8}");
        sample("1", "json", "{\"class\": \"dog\"}");
        sample("2", "json", "{\"cls\": 3.0}");
        sample("3", "json", "{\"caption\": \"x\", \"label\": null, \"class\": \"cat\"}");
        sample("4", "json", "[1, 2]");
        sample("5", "json", "{\"label\": 3");
        sample("6", "json", "{\"label\": {\"name\": \"cat\"}}");
        expect("3", "dog", "3", "cat", "-", "-", "-");
        assertEquals(1, warnings.all.size());
        assertTrue(
                warnings.all
                        .get(0)
                        .endsWith(
                                "can't read a class from 1 file beside the images, such as 5.json, which is not JSON"),
                warnings.all.get(0));
    }

    @Test
    void ofTexts() throws IOException {
        sample("0", "txt", "cat\n");
        sample("1", "txt", "hot dog");
        sample("2", "txt", "cat");
        members.put("README.txt", "Two\nlines");
        expect("cat", "hot dog", "cat");
    }

    @Test
    void foldersComeBeforeTextsAndCaptionsAreNone() throws IOException {
        sample("cat/0", "txt", "0 0.5 0.5 0.1 0.1");
        sample("dog/1", "txt", "1 0.5 0.5 0.1 0.1");
        expect("cat", "dog");
        members.clear();
        for (int i = 100; i < 130; i++) {
            sample("" + i, "txt", "a picture of number " + i, "json", "{\"caption\": \"c\", \"key\": \"" + i + "\"}");
        }
        expect(Collections.nCopies(30, "-").toArray(String[]::new));
        members.clear();
        sample("0", "txt", "cat");
        sample("1", "txt", "one line\nand another");
        expect("-", "-");
    }

    @Test
    void samplesShareTheNameUpToTheFirstDot() throws IOException {
        members.put("000.img.png", png);
        members.put("000.cls.txt", "3");
        members.put("001.left.png", png);
        members.put("001.right.png", png);
        members.put("001.cls", "4");
        members.put("v1.0/002.png", png);
        members.put("v1.0/002.cls", "5");
        members.put("x.1.png", png);
        members.put("x.1.cls", "6");
        expect("3", "4", "4", "5", "6");
    }

    @Test
    void shardsFollowEachOther() throws IOException {
        for (int shard = 8; shard <= 11; shard++) {
            members.clear();
            sample("0", "cls", "" + shard);
            sample("1", "cls", "8");
            Samples.write(dir.resolve(String.format("t-%03d.tar", shard)), Archives.tar(members));
        }
        Path shards = dir.resolve("t-{008..011}.tar");
        String fingerprint;
        try (ImageSource source = ImageSource.open(shards)) {
            assertEquals(List.of("8", "8", "9", "8", "10", "8", "11", "8"), Archives.classes(source));
            assertEquals(dir.resolve("t-010.tar") + "!1.png", source.name(5));
            assertEquals(8, source.read(7).width());
            assertEquals(List.of("8", "9", "10", "11"), source.classes());
            assertEquals(source.size(), 8);
            fingerprint = source.fingerprint();
        }
        try (ImageSource source = ImageSource.open(dir.resolve("t-{008,009,010,011}.tar"))) {
            assertEquals(fingerprint, source.fingerprint());
        }
        String missing = assertThrows(IOException.class, () -> ImageSource.open(dir.resolve("t-{008..012}.tar")))
                .getMessage();
        assertTrue(missing.startsWith(dir.resolve("t-012.tar") + " does not exist"), missing);
        assertThrows(IOException.class, () -> ImageSource.open(dir.resolve("t-{0..999999999}.tar")));
        // A file whose own name has braces is that file.
        try (ImageSource one = ImageSource.open(Samples.write(dir.resolve("{a,b}.tar"), Archives.tar(members)))) {
            assertEquals(2, one.size());
        }
    }

    @Test
    void bracesAreThoseOfShells() {
        assertEquals(List.of("x"), Braces.expand("x"));
        assertEquals(List.of("{x}"), Braces.expand("{x}"));
        assertEquals(List.of("a1c", "a1d", "bc", "bd"), Braces.expand("{a1,b}{c,d}"));
        assertEquals(List.of("8", "9", "10"), Braces.expand("{8..10}"));
        assertEquals(List.of("08", "09", "10"), Braces.expand("{08..10}"));
        assertEquals(List.of("a0", "a1", "b"), Braces.expand("{a{0..1},b}"));
    }
}
