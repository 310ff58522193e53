// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static io.github.simclr4j.cli.CommandLineTest.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.simclr4j.cli.CommandLineTest.Run;
import io.github.simclr4j.tribuo.evaluation.LinearEvaluation;
import io.github.simclr4j.tribuo.explore.Selection;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import io.github.simclr4j.tribuo.source.ImageFolderDataSource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;

/**
 * What the exploring commands find of cases that are planted into CIFAR-10's test images. The variable SIMCLR_CIFAR10 names a
 * folder whose sub-folder test has a sub-folder a class, with images named by their number within the class (0000.jpg), and
 * SIMCLR_CIFAR10_ENCODER an encoder that was trained on training images.
 */
@Tag("slow")
class PlantedCasesTest {
    @TempDir
    Path dir;

    private static Path test;
    private static Path encoder;

    @BeforeAll
    static void find() {
        String data = System.getenv("SIMCLR_CIFAR10");
        String file = System.getenv("SIMCLR_CIFAR10_ENCODER");
        assumeTrue(
                data != null && file != null,
                "skipped: SIMCLR_CIFAR10 and SIMCLR_CIFAR10_ENCODER must name the data set and an encoder");
        test = Path.of(data, "test");
        encoder = Path.of(file);
    }

    private static List<Path> files() throws IOException {
        try (Stream<Path> all = Files.walk(test)) {
            return all.filter(Files::isRegularFile).sorted().toList();
        }
    }

    private List<String[]> table(String command, Path images, Object... more) throws IOException {
        Path out = dir.resolve(command + ".csv");
        List<Object> args = new ArrayList<>(List.of(command, "--encoder", encoder, "--images", images, "--out", out));
        args.addAll(List.of(more));
        Run run = run(args.toArray());
        assertEquals(0, run.code(), run.err());
        List<String[]> rows =
                Files.readAllLines(out).stream().map(l -> l.split(",")).toList();
        return rows.subList(1, rows.size());
    }

    private static Path copy(Path file, Path to) throws IOException {
        Files.createDirectories(to.getParent());
        return Files.copy(file, to);
    }

    @Test
    void copiesAreFoundAndSimilarImagesAreNotConfusedWithThem() throws IOException {
        Path set = dir.resolve("set");
        List<Path> originals = new ArrayList<>();
        for (Path file : files()) {
            originals.add(copy(file, set.resolve(test.relativize(file).toString())));
        }
        Map<Path, Path> planted = PlantedCopies.write(originals, set.resolve("copies"), 500, 2);
        Map<String, Set<Path>> groups = new TreeMap<>();
        for (String[] row : table("duplicates", set)) {
            groups.computeIfAbsent(row[0], g -> new HashSet<>()).add(Path.of(row[1]));
        }
        Map<String, Integer> foundOf = new TreeMap<>();
        int found = 0;
        for (Map.Entry<Path, Path> copy : planted.entrySet()) {
            if (groups.values().stream().anyMatch(g -> g.contains(copy.getKey()) && g.contains(copy.getValue()))) {
                found++;
                foundOf.merge(copy.getKey().getFileName().toString().split("-")[0], 1, Integer::sum);
            }
        }
        Map<String, Integer> known = looked();
        List<Set<Path>> wrong = groups.values().stream()
                .filter(g -> g.stream()
                                .map(p -> planted.getOrDefault(p, p))
                                .map(p -> set.relativize(p)
                                        .toString()
                                        .replace('\\', '/')
                                        .replaceFirst("\\..*$", ""))
                                .map(n -> known.getOrDefault(n, n.hashCode() | 1 << 30))
                                .distinct()
                                .count()
                        > 1)
                .toList();
        System.out.println("duplicates: found " + found + " of 500 " + foundOf + ", " + groups.size()
                + " groups, false " + wrong.size() + " " + wrong);
        assertTrue(found >= 475, found + " of 500");
        assertTrue(wrong.size() <= 0.01 * groups.size(), wrong.toString());
    }

    /** The number of each image's group among the near-duplicates that CIFAR-10 itself has. */
    private static Map<String, Integer> looked() throws IOException {
        Map<String, Integer> groups = new HashMap<>();
        try (InputStream in = PlantedCasesTest.class.getResourceAsStream("cifar10-test-near-duplicates.txt")) {
            int group = 0;
            for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList()) {
                int number = group++;
                if (!line.startsWith("#")) {
                    List.of(line.split(" ")).forEach(name -> groups.put(name, number));
                }
            }
        }
        return groups;
    }

    @Test
    void wrongLabelsAreRankedFirst() throws IOException {
        Path set = dir.resolve("set");
        Random random = new Random(2);
        List<String> classes = files().stream()
                .map(f -> f.getParent().getFileName().toString())
                .distinct()
                .toList();
        Set<String> wrong = new HashSet<>();
        for (Path file : files()) {
            int own = classes.indexOf(file.getParent().getFileName().toString());
            boolean flip = random.nextDouble() < 0.05;
            String label = classes.get(flip ? (own + 1 + random.nextInt(classes.size() - 1)) % classes.size() : own);
            Path to = copy(file, set.resolve(label).resolve(classes.get(own) + "-" + file.getFileName()));
            if (flip) {
                wrong.add(to.toString());
            }
        }
        List<String[]> ranked = table("mislabelled", set);
        long right = 0;
        long pairs = 0;
        int suggested = 0;
        for (String[] row : ranked) {
            if (wrong.contains(row[1])) {
                pairs += right;
                suggested += row[1].contains("/" + row[3] + "-") ? 1 : 0;
            } else {
                right++;
            }
        }
        double auroc = 1 - (double) pairs / (right * wrong.size());
        System.out.printf(
                "mislabelled: AUROC %.4f, %d wrong, %d of them get the right suggestion%n",
                auroc, wrong.size(), suggested);
        assertTrue(auroc >= 0.85, "AUROC " + auroc);
    }

    @Test
    void selectedImagesTeachMoreThanRandomOnes() throws IOException {
        Path pool = dir.resolve("pool");
        Path rest = dir.resolve("rest");
        List<Path> files = files();
        for (int i = 0; i < files.size(); i++) {
            copy(
                    files.get(i),
                    (i % 2 == 0 ? pool : rest)
                            .resolve(test.relativize(files.get(i)).toString()));
        }
        double selected = 0;
        double random = 0;
        try (SimCLRFeatureExtractor<Label> extractor = new SimCLRFeatureExtractor<>(new LabelFactory(), encoder)) {
            MutableDataset<Label> train = new MutableDataset<>(new ImageFolderDataSource<>(pool, extractor));
            MutableDataset<Label> measured = new MutableDataset<>(new ImageFolderDataSource<>(rest, extractor));
            List<String> names = train.getData().stream()
                    .map(e -> e.getMetadataValue("name").orElseThrow().toString())
                    .toList();
            Map<String, Integer> numbers = new HashMap<>();
            for (int i = 0; i < names.size(); i++) {
                numbers.put(
                        Path.of(names.get(i)).getFileName() + "/"
                                + Path.of(names.get(i)).getParent().getFileName(),
                        i);
            }
            for (int seed = 1; seed <= 5; seed++) {
                int[] chosen = table("select", pool, "--count", 300, "--seed", seed).stream()
                        .map(r -> Path.of(r[1]))
                        .mapToInt(p -> numbers.get(
                                p.getFileName() + "/" + p.getParent().getFileName()))
                        .toArray();
                List<Integer> order =
                        new ArrayList<>(numbers.values().stream().sorted().collect(Collectors.toList()));
                Collections.shuffle(order, new Random(seed));
                int[] drawn = order.subList(0, 300).stream().mapToInt(i -> i).toArray();
                double a = LinearEvaluation.evaluate(Selection.view(train, chosen), measured, 1, seed)
                        .accuracy();
                double b = LinearEvaluation.evaluate(Selection.view(train, drawn), measured, 1, seed)
                        .accuracy();
                System.out.printf("select, seed %d: %.4f, random %.4f%n", seed, a, b);
                selected += a / 5;
                random += b / 5;
            }
        }
        System.out.printf("select: mean %.4f, random %.4f%n", selected, random);
        assertTrue(selected > random, selected + " against " + random);
    }
}
