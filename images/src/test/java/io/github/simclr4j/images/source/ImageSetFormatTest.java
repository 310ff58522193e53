// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ImageSetFormatTest {
    @TempDir
    private Path dir;

    /** A format from outside: files that end in {@code .list} and hold paths, a line each. */
    public static final class ListFormat implements ImageSetFormat {
        @Override
        public String name() {
            return "list";
        }

        @Override
        public String description() {
            return "a list of images (.list)";
        }

        @Override
        public Optional<ImageSource> open(ImageSetCandidate candidate, Progress progress) throws IOException {
            return candidate.lowerCaseName().endsWith(".list")
                    ? Optional.of(ImageSource.ofFiles(Files.readAllLines(candidate.path()).stream()
                            .map(Path::of)
                            .toList()))
                    : Optional.empty();
        }
    }

    static List<ImageSetFormat> formats() {
        return ImageSetFormat.installed();
    }

    @Test
    void formatsAreFoundInOrder() {
        assertEquals(
                List.of("cifar", "stl-10", "idx", "tar", "zip", "table", "folder"),
                formats().stream().map(ImageSetFormat::name).toList());
    }

    @ParameterizedTest
    @MethodSource("formats")
    void aFormatIsDescribedAndLeavesOtherFilesAlone(ImageSetFormat format) throws IOException {
        assertFalse(format.name().isBlank() || format.description().isBlank());
        assertTrue(format.order() >= 100);
        Path other = Files.write(dir.resolve("other.dat"), new byte[] {1, 2, 3});
        assertEquals(Optional.empty(), format.open(new ImageSetCandidate(other), Progress.NONE));
    }

    @Test
    void namesAreUnique() {
        Set<String> names = new HashSet<>();
        assertTrue(formats().stream().allMatch(f -> names.add(f.name())));
    }

    /** As if another jar were on the class path. */
    @Test
    void anotherJarAddsAFormat() throws Exception {
        Path services = Files.createDirectories(dir.resolve("jar/META-INF/services"));
        Files.writeString(services.resolve(ImageSetFormat.class.getName()), ListFormat.class.getName());
        Path image = Samples.write(dir.resolve("a.png"), Samples.png(1, 9, 8));
        Path list = Files.write(dir.resolve("images.list"), image.toString().getBytes(StandardCharsets.UTF_8));
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {dir.resolve("jar").toUri().toURL()}, before)) {
            thread.setContextClassLoader(loader);
            assertEquals("list", formats().get(0).name());
            try (ImageSource source = ImageSource.open(list)) {
                assertEquals(1, source.size());
                assertEquals(image.toString(), source.name(0));
                assertEquals(9, source.read(0).width());
            }
            String message = assertThrows(IOException.class, () -> ImageSource.open(dir.resolve("none")))
                    .getMessage();
            assertTrue(message.endsWith("MNIST (IDX), or a list of images (.list)"), message);
        } finally {
            thread.setContextClassLoader(before);
        }
    }
}
