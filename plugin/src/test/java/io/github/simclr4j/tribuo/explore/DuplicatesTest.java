// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.tribuo.extraction.Fixture;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import io.github.simclr4j.util.Progress;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.awt.image.RescaleOp;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;

class DuplicatesTest {
    @TempDir
    Path dir;

    /** Soft and sharp shapes in many colours, 96 x 64 pixels. */
    private static BufferedImage picture(long seed) {
        Random random = new Random(seed);
        BufferedImage image = new BufferedImage(96, 64, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = image.createGraphics();
        g.setColor(new Color(random.nextInt(0x1000000)));
        g.fillRect(0, 0, 96, 64);
        for (int i = 0; i < 25; i++) {
            g.setColor(new Color(random.nextInt(256), random.nextInt(256), random.nextInt(256), 160));
            g.fillOval(
                    random.nextInt(96) - 12, random.nextInt(64) - 12, 8 + random.nextInt(24), 8 + random.nextInt(24));
        }
        g.dispose();
        return image;
    }

    private static BufferedImage part(BufferedImage from, int x, int y, int w, int h, int width, int height) {
        BufferedImage to = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = to.createGraphics();
        g.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        g.drawImage(from, 0, 0, width, height, x, y, x + w, y + h, null);
        g.dispose();
        return to;
    }

    private void write(BufferedImage image, String format, String name) throws IOException {
        ImageIO.write(image, format, dir.resolve(name).toFile());
    }

    /** Features that tell nothing: every image is as near as any other, and only the pixels can decide. */
    private Duplicates find() throws IOException {
        try (Thumbnails source = new Thumbnails(ImageSource.open(dir))) {
            List<String> names = new ArrayList<>();
            for (int i = 0; i < source.size(); i++) {
                source.read(i);
                names.add(source.name(i));
            }
            float[][] rows = new float[source.size()][];
            java.util.Arrays.fill(rows, new float[] {1, 1});
            return Duplicates.find(
                    new Features("test", names, rows),
                    source,
                    IntStream.range(0, source.size()).toArray(),
                    Progress.NONE);
        }
    }

    private Set<Set<String>> groups(Duplicates duplicates) throws IOException {
        List<String> names;
        try (ImageSource source = ImageSource.open(dir)) {
            names = IntStream.range(0, source.size())
                    .mapToObj(i -> Path.of(source.name(i)).getFileName().toString())
                    .toList();
        }
        return duplicates.groups().stream()
                .map(g -> g.stream().map(m -> names.get(m.image())).collect(Collectors.toSet()))
                .collect(Collectors.toSet());
    }

    @Test
    void copiesOfEveryKindAreFoundAndOtherImagesAreNot() throws IOException {
        for (int i = 0; i < 30; i++) {
            write(picture(i), "png", String.format("%02d.png", i));
        }
        write(picture(0), "jpg", "00-reencoded.jpg");
        write(part(picture(1), 0, 0, 96, 64, 60, 40), "png", "01-smaller.png");
        write(part(picture(2), 7, 3, 86, 58, 86, 58), "png", "02-cropped.png");
        write(
                new RescaleOp(new float[] {0.7f, 0.8f, 0.6f}, new float[] {40, 10, 30}, null).filter(picture(3), null),
                "png",
                "03-recoloured.png");
        write(part(picture(4), 2, 5, 86, 58, 172, 116), "jpg", "04-larger.jpg");
        Duplicates found = find();
        assertEquals(
                Set.of(
                        Set.of("00.png", "00-reencoded.jpg"),
                        Set.of("01.png", "01-smaller.png"),
                        Set.of("02.png", "02-cropped.png"),
                        Set.of("03.png", "03-recoloured.png"),
                        Set.of("04.png", "04-larger.jpg")),
                groups(found));
        assertEquals(30, found.kept().length);
        found.groups().forEach(g -> {
            assertEquals(1, g.get(0).similarity());
            assertTrue(g.get(1).similarity() > 0.93 && g.get(1).similarity() <= 1, g.toString());
        });
    }

    @Test
    void theImageWithTheMostPixelsIsKept() throws IOException {
        write(part(picture(7), 0, 0, 96, 64, 48, 32), "png", "a-small.png");
        write(picture(7), "png", "b-large.png");
        write(part(picture(7), 0, 0, 96, 64, 60, 40), "png", "c-middle.png");
        write(picture(8), "png", "d-other.png");
        Duplicates found = find();
        assertEquals(1, found.groups().size());
        assertEquals(
                List.of(1, 3), java.util.Arrays.stream(found.kept()).boxed().toList());
    }

    @Test
    void imagesOfOneColourAreCopiesIfTheColourIsTheSame() throws IOException {
        for (int i = 0; i < 12; i++) {
            BufferedImage plain = new BufferedImage(40, 40, BufferedImage.TYPE_INT_RGB);
            Graphics2D g = plain.createGraphics();
            g.setColor(i < 9 ? Color.BLACK : new Color(60 * (i - 8), 200, 30));
            g.fillRect(0, 0, 40, 40);
            g.dispose();
            write(plain, "png", i + ".png");
        }
        Set<Set<String>> groups = groups(find());
        assertEquals(1, groups.size());
        assertEquals(9, groups.iterator().next().size());
    }

    @Test
    void oneImageHasNoCopies() throws IOException {
        write(picture(1), "png", "1.png");
        Duplicates found = find();
        assertTrue(found.groups().isEmpty());
        assertEquals(1, found.kept().length);
    }

    @Test
    void aDataSourceGivesOneOfEachGroup() throws IOException {
        Path encoder = Fixture.encoder(dir.resolve("encoder.onnx"), 1);
        Path set = Files.createDirectories(dir.resolve("set"));
        for (int i = 0; i < 12; i++) {
            Path folder = Files.createDirectories(set.resolve(i % 2 == 0 ? "even" : "odd"));
            ImageIO.write(picture(i), "png", folder.resolve(i + ".png").toFile());
        }
        ImageIO.write(picture(4), "jpg", set.resolve("even/copy.jpg").toFile());
        Files.writeString(set.resolve("odd/broken.png"), "no image");
        try (SimCLRFeatureExtractor<Label> extractor = new SimCLRFeatureExtractor<>(Fixture.LABELS, encoder, 1)) {
            DistinctImageDataSource<Label> source = new DistinctImageDataSource<>(set, extractor);
            MutableDataset<Label> dataset = new MutableDataset<>(source);
            assertEquals(12, dataset.size());
            assertEquals(12, source.size());
            assertEquals(1, source.removed());
            assertEquals(Fixture.DIMENSION, dataset.getExample(0).size());
            var provenance = source.getProvenance();
            assertTrue(provenance.toString().contains("removed=1"), provenance.toString());
            assertEquals(
                    provenance,
                    com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil.unmarshalProvenance(
                            com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil.marshalProvenance(provenance)));
        }
    }
}
