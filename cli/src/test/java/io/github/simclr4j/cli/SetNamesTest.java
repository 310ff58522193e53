// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Names of one set where it is opened by different paths. */
class SetNamesTest {
    private static final Path HERE = Path.of("").toAbsolutePath();

    /** Divides names and checks that they can be put together again. */
    private static SetNames divided(Path images, Object... names) {
        List<String> all = List.of(names).stream().map(Object::toString).toList();
        SetNames divided = SetNames.of(all, images);
        assertEquals(all, moved(divided, divided));
        return divided;
    }

    private static List<String> moved(SetNames names, SetNames to) {
        return IntStream.range(0, names.relative().size())
                .mapToObj(i -> SetNames.full(
                        to.base(), to.separator(), names.relative().get(i)))
                .toList();
    }

    @Test
    void aFolderMayLieAnywhere() {
        SetNames first = divided(Path.of("photos"), Path.of("photos/red/a.png"), Path.of("photos/b.png"));
        SetNames second = divided(
                HERE.resolve("mnt/other"), HERE.resolve("mnt/other/red/a.png"), HERE.resolve("mnt/other/b.png"));
        assertEquals(List.of("red/a.png", "b.png"), first.relative());
        assertEquals(first.relative(), second.relative());
        assertEquals(
                List.of(
                        Path.of("photos/red/a.png").toString(),
                        Path.of("photos/b.png").toString()),
                moved(second, first));
    }

    @Test
    void anArchiveIsNamedByItsFileOnly() {
        SetNames first = divided(Path.of("photos.zip"), "photos.zip!a/b.png");
        SetNames second = divided(HERE.resolve("data/photos.zip"), HERE.resolve("data/photos.zip") + "!a/b.png");
        assertEquals(List.of("photos.zip!a/b.png"), first.relative());
        assertEquals(first.relative(), second.relative());
        assertEquals(List.of("photos.zip!a/b.png"), moved(second, first));
        assertEquals(List.of(HERE.resolve("data/photos.zip") + "!a/b.png"), moved(first, second));
    }

    /** The paths of a table may be relative to it or absolute, and inside or outside of its folder. */
    @Test
    void aTableOfAbsolutePathsMayBeNamedByARelativePath() {
        Path in = HERE.resolve("photos/a.png");
        Path outside = HERE.getRoot().resolve("elsewhere/b.png");
        SetNames plain = divided(Path.of("list.csv"), in, outside);
        SetNames absolute = divided(HERE.resolve("list.csv"), in, outside);
        SetNames inFolder = divided(Path.of("x/../list.csv"), in, outside);
        assertEquals(List.of("photos/a.png", outside.toString().replace('\\', '/')), absolute.relative());
        assertEquals(absolute, plain);
        // The same file, but the folder's path is another text.
        assertEquals(2, inFolder.relative().size());
        SetNames relative = divided(Path.of("list.csv"), Path.of("photos/a.png"), outside);
        assertEquals(absolute.relative(), relative.relative());
        assertEquals(List.of(in.toString(), outside.toString()), moved(relative, absolute));
        assertEquals(List.of(Path.of("photos/a.png").toString(), outside.toString()), moved(absolute, relative));
    }

    /** No single start could be put before these again, so they are not shortened. */
    @Test
    void aTableThatMixesRelativeAndAbsolutePathsKeepsThem() {
        SetNames mixed = divided(Path.of("list.csv"), "photos/a.png", HERE.resolve("photos/b.png"));
        assertEquals("", mixed.base());
        // What follows the start must not look like an absolute path.
        divided(Path.of("photos"), "photos/C:/a.png", "photos/b.png");
    }
}
