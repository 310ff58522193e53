// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.load.ResidentImages;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.train.augment.AugmentationPipeline;
import io.github.simclr4j.train.augment.ViewPicture;
import io.github.simclr4j.train.augment.ViewPicture.Composition;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.util.AtomicFiles;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Runs {@code simclr views}. */
@CommandLine.Command(
        name = "views",
        description = "Draws images beside random views of them, enlarged and with captions.")
final class ViewsCommand extends Command {
    static {
        // Text is drawn, but nothing is displayed on a screen.
        System.setProperty("java.awt.headless", "true");
    }

    @Option(
            names = "--images",
            paramLabel = "SET",
            required = true,
            description = "Image set, in any form that pretrain accepts.")
    Path images;

    @Mixin
    TableOptions tables;

    @Option(names = "--out", paramLabel = "FILE", required = true, description = "Picture to write (PNG).")
    Path out;

    @Option(
            names = "--views",
            paramLabel = "C",
            defaultValue = "simclr-cifar",
            description = "Augmentations of the views: a preset or a composition, see below (default:"
                    + " ${DEFAULT-VALUE}).")
    String views;

    @Option(
            names = "--views2",
            paramLabel = "C",
            description = "Second composition, drawn to the right of the first, as for an asymmetric pair of views.")
    String views2;

    @Option(
            names = "--count",
            paramLabel = "N",
            defaultValue = "10",
            description = "Use at most N images, chosen at random by the seed (default: ${DEFAULT-VALUE}).")
    int count;

    @Option(
            names = "--per-image",
            paramLabel = "K",
            defaultValue = "8",
            description = "Number of views of each image for each composition (default: ${DEFAULT-VALUE}).")
    int perImage;

    @Option(
            names = "--image-size",
            paramLabel = "S",
            defaultValue = "32",
            description = "Side of the views in pixels (default: ${DEFAULT-VALUE}).")
    int imageSize;

    /** Adds the help of all augmentations, which other jars may extend. */
    @Spec
    void declare(CommandSpec spec) {
        List<String> lines = new ArrayList<>(List.of(
                "  name:strength@probability,name:strength@probability,...",
                "",
                "Strengths and probabilities that are left out have the values shown:",
                ""));
        lines.addAll(AugmentationPipeline.help());
        lines.addAll(
                List.of("", "Presets: " + String.join(", ", AugmentationPipeline.presets()) + "; none only resizes."));
        spec.usageMessage()
                .footerHeading("%nA composition is a preset or a list of augmentations, which are applied in the given"
                        + " order:%n%n");
        spec.usageMessage().footer(lines.stream().map(l -> l.replace("%", "%%")).toArray(String[]::new));
    }

    @Override
    boolean usesDevice() {
        return false;
    }

    @Override
    Map<String, Object> work() throws IOException {
        between("--count", count, 1, 1000);
        between("--per-image", perImage, 1, 100);
        between("--image-size", imageSize, 8, 1024);
        if (!out.toString().toLowerCase(Locale.ROOT).endsWith(".png")) {
            throw new IllegalArgumentException("--out must end in .png, found " + out);
        }
        List<Composition> compositions =
                new ArrayList<>(List.of(composition(views, views2 == null ? "Views" : "First view")));
        if (views2 != null) {
            compositions.add(composition(views2, "Second view"));
        }
        writable(out);
        ImageSet set;
        List<String> names;
        Console console = new Console();
        try (ImageSource source = open(images, tables, console).sample(count, common.seed)) {
            ResidentImages resident = ResidentImages.read(source, imageSize, console);
            names = Arrays.stream(resident.images())
                    .mapToObj(i -> lastPart(source.name(i)))
                    .toList();
            set = ImageSet.of(resident);
        }
        if (!ViewPicture.hasCaptions()) {
            console.warn("the picture has no captions, because Java finds no font: install fontconfig and a font such "
                    + "as DejaVu");
        }
        ViewPicture picture = new ViewPicture(set, names, compositions, perImage, imageSize);
        ViewPicture.Drawn drawn = picture.draw(common.seed);
        BufferedImage grid = drawn.picture();
        AtomicFiles.write(out, Images.encode(grid, "png"));
        System.out.printf(
                Locale.ROOT,
                "%s: %d images, %d views of each, %dx%d pixels%n",
                out,
                set.pixels().size(),
                perImage * compositions.size(),
                grid.getWidth(),
                grid.getHeight());
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("picture", out.toString());
        json.put("images", set.pixels().size());
        json.put("skipped", set.skipped());
        json.put("viewsPerImage", perImage * compositions.size());
        json.put(
                "views", compositions.stream().map(c -> c.pipeline().toString()).toList());
        json.put("width", grid.getWidth());
        json.put("height", grid.getHeight());
        // Positions of the views in the picture, in pixels.
        json.put("side", picture.cell());
        json.put(
                "columns",
                IntStream.rangeClosed(0, perImage * compositions.size())
                        .map(picture::left)
                        .toArray());
        json.put(
                "rows",
                IntStream.range(0, set.pixels().size())
                        .map(row -> drawn.top() + row * drawn.step())
                        .toArray());
        json.put("seconds", seconds());
        return json;
    }

    /** Returns a composition, named after its preset if it is one. */
    private Composition composition(String text, String name) {
        return Composition.of(
                AugmentationPipeline.presets().contains(text.strip()) ? name + ": " + text.strip() : name,
                AugmentationPipeline.of(text),
                imageSize);
    }

    private static String lastPart(String path) {
        return path.substring(1 + Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')));
    }

    private static void between(String option, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(option + " must be from " + least + " to " + most + ", found " + value);
        }
    }
}
