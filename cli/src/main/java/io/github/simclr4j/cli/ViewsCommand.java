package io.github.simclr4j.cli;

import io.github.simclr4j.images.load.ResidentImages;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.train.augment.Composition;
import io.github.simclr4j.train.augment.ViewGrid;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.util.AtomicFiles;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.imageio.ImageIO;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code simclr views}. */
@Command(name = "views", description = "Draws images beside random views of them, a row an image.",
        footerHeading = "%nA composition is a preset or a list of augmentations, done in the order in which they are named:"
                + "%n%n",
        footer = {
            "  name:strength@probability,name:strength@probability,...",
            "",
            "What is left out has the value shown:",
            "",
            "  crop:0.08@1             smallest share of the area, to 1; aspect 3/4 to 4/3;",
            "                          resized by a bicubic filter",
            "  crop-bilinear:0.08@1    the same with a bilinear filter",
            "  flip@0.5                horizontal flip",
            "  jitter:0.5@0.8          s: brightness, contrast and saturation 1 +- 0.8s, hue",
            "                          +- 0.2s turns, in random order; or these four, as in",
            "                          jitter:0.4/0.4/0.4/0.1",
            "  grey@0.2                colour drop",
            "  rotate@0.75             by 90, 180 or 270 degrees",
            "  cutout:0.5@1            a grey square, side as a share of the image's",
            "  noise:0.1@0.5           Gaussian; largest standard deviation, values 0 to 1",
            "  blur:2.0@0.5            Gaussian; sigma 0.1 to 2.0 pixels, kernel a tenth of",
            "                          the side",
            "  sobel@0.5               edges in grey",
            "  autoaugment@1           CIFAR-10 policy of AutoAugment",
            "  autoaugment-imagenet@1  its ImageNet policy",
            "",
            "Presets: simclr (ImageNet), simclr-cifar, mocov1, mocov2, mocov2-cifar, supervised, autoaugment,"
                + " autoaugment-imagenet; none resizes alone."
        })
final class ViewsCommand extends Work {
    @Option(names = "--images", paramLabel = "DIR", required = true,
            description = "Folder of JPEG, PNG, WebP, BMP, GIF or TIFF files, at any depth.")
    Path images;

    @Option(names = "--out", paramLabel = "FILE", required = true, description = "Where the picture goes (PNG).")
    Path out;

    @Option(names = "--views", paramLabel = "C", defaultValue = "simclr-cifar",
            description = "How the views are made: a preset or a composition, see below (default: ${DEFAULT-VALUE}).")
    String views;

    @Option(names = "--views2", paramLabel = "C",
            description = "Another composition, drawn to the right of the first, as for an asymmetric pair.")
    String views2;

    @Option(names = "--count", paramLabel = "N", defaultValue = "10",
            description = "At most so many images, chosen at random by the seed (default: ${DEFAULT-VALUE}).")
    int count;

    @Option(names = "--per-image", paramLabel = "K", defaultValue = "8",
            description = "Views of each image by each composition (default: ${DEFAULT-VALUE}).")
    int perImage;

    @Option(names = "--image-size", paramLabel = "S", defaultValue = "32",
            description = "Side of the views in pixels (default: ${DEFAULT-VALUE}).")
    int imageSize;

    @Override
    Map<String, Object> work() throws IOException {
        between("--count", count, 1, 1000);
        between("--per-image", perImage, 1, 100);
        between("--image-size", imageSize, 8, 1024);
        if (!out.toString().toLowerCase(Locale.ROOT).endsWith(".png")) {
            throw new IllegalArgumentException("--out must end in .png, found " + out);
        }
        List<Composition> compositions = new ArrayList<>(List.of(Composition.of(views)));
        if (views2 != null) {
            compositions.add(Composition.of(views2));
        }
        writable(out);
        ImageSet set;
        Console console = new Console();
        try (ImageSource source = ImageSource.open(images, console).sample(count, common.seed)) {
            set = ImageSet.of(ResidentImages.read(source, imageSize, console));
        }
        // A picture needs no GPU, unless one wants to see what the GPU draws.
        String device = common.device.equals("auto") ? "cpu" : common.device;
        BufferedImage grid =
                ViewGrid.draw(set, compositions, perImage, imageSize, common.seed, device, common.threads, console);
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        ImageIO.write(grid, "png", png);
        AtomicFiles.write(out, png.toByteArray());
        System.out.printf(Locale.ROOT, "%s: %d images, %d views of each, %dx%d pixels%n", out, set.pixels().size(),
                perImage * compositions.size(), grid.getWidth(), grid.getHeight());
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("picture", out.toString());
        json.put("images", set.pixels().size());
        json.put("skipped", set.skipped());
        json.put("viewsPerImage", perImage * compositions.size());
        json.put("views", compositions.stream().map(Composition::toString).toList());
        json.put("width", grid.getWidth());
        json.put("height", grid.getHeight());
        json.put("seconds", seconds());
        return json;
    }

    private static void between(String option, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(option + " must be from " + least + " to " + most + ", found " + value);
        }
    }
}
