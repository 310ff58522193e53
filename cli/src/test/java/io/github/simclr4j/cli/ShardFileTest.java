// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Shards whose images have very many classes, such as a caption each. */
@Tag("slow")
class ShardFileTest {
    @TempDir
    private Path dir;

    private static ShardFile.Header header(int shard, List<String> classes) {
        SetNames names = new SetNames("", "/", List.of("a.png", "b.png"));
        return new ShardFile.Header(new Shard(shard, 2), 1, names, classes, "labels", 2, "encoder", Map.of());
    }

    @Test
    void manyLongNamesOfClassesAreReadBackContinuedAndMerged() throws IOException {
        // 18 MB of names.
        String end = "é".repeat(450);
        List<String> classes = IntStream.range(0, 20_000).mapToObj(i -> i + end).toList();
        Path out = dir.resolve("f.csv");
        for (int i = 1; i <= 2; i++) {
            Path file = new Shard(i, 2).beside(out);
            try (ShardFile.Writer rows = new ShardFile.Writer(file, header(i, classes), new int[] {i - 1})) {
                rows.add(new ShardFile.Row(i - 1, "x.png", i - 1, new float[] {i, 3}, null));
            }
            try (ShardFile.Writer rows = new ShardFile.Writer(file, header(i, classes), new int[] {i - 1})) {
                assertEquals(1, rows.done());
            }
        }
        try (ShardMerge merge = new ShardMerge(out)) {
            assertEquals(classes, merge.about().classes());
            assertArrayEquals(new float[] {1, 3}, merge.next().features());
            assertArrayEquals(new float[] {2, 3}, merge.next().features());
        }
        try (ShardFile.Reader one = new ShardFile.Reader(new Shard(1, 2).beside(out));
                ShardFile.Reader two = new ShardFile.Reader(new Shard(2, 2).beside(out))) {
            two.share(one.about());
            assertSame(one.about().classes(), two.about().classes(), "a merge of many shards holds the names once");
            assertEquals(header(2, classes), two.about());
        }
    }

    @Test
    void namesThatAShardCannotHoldAreRefusedBeforeAnythingIsComputed() {
        List<String> classes = Collections.nCopies(70_000, "x".repeat(1_000));
        Path file = dir.resolve("f.csv.shard-1-of-2");
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class, () -> new ShardFile.Writer(file, header(1, classes), new int[] {0}));
        assertTrue(
                e.getMessage()
                        .startsWith(
                                "The names of the 70000 classes take 67 MB, and a shard holds at most 64 MB of them:"),
                e.getMessage());
        assertFalse(Files.exists(file));
    }
}
