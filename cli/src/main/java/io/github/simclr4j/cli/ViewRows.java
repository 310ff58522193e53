// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.cli.report.DataImage;
import io.github.simclr4j.cli.report.page.ViewRow;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.train.augment.ViewGenerator;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.settings.PretrainSettings;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SplittableRandom;

/** Draws a few training images beside views that are made as in training. */
final class ViewRows {
    private static final int IMAGES = 6;
    /** Number of views of an image, of all kinds except the small ones. */
    private static final int VIEWS = 4;

    private ViewRows() {}

    /** Draws images and views; an image that can no longer be read is left out. */
    static List<ViewRow> of(TrainingImages images, PretrainSettings settings) {
        List<ViewGenerator> ways = new ArrayList<>();
        ways.add(settings.generator(settings.firstView()));
        boolean small = settings.smallViews().count() > 0;
        boolean alike =
                settings.otherViews().toString().equals(settings.firstView().toString());
        // Views with the same augmentations form one group, unless there are small views and so three kinds of views.
        if (settings.method().views() > 1 && (small || !alike)) {
            ways.add(settings.generator(settings.otherViews()));
        }
        int each = VIEWS / ways.size();
        if (small) {
            ways.add(new ViewGenerator(
                    settings.smallView(), settings.smallViews().size()));
        }
        SplittableRandom random = new SplittableRandom(settings.seed());
        LinkedHashSet<Integer> chosen = new LinkedHashSet<>();
        while (chosen.size() < Math.min(IMAGES, images.count())) {
            chosen.add(random.nextInt(images.count()));
        }
        ImageSource originals = images.originals();
        Preprocessing square = new Preprocessing(images.side());
        List<ViewRow> rows = new ArrayList<>();
        for (int i : chosen) {
            try {
                RgbImage image = square.apply(originals.read(i));
                List<List<String>> views = new ArrayList<>();
                for (ViewGenerator way : ways) {
                    List<String> some = new ArrayList<>();
                    for (int v = 0; v < (way.size() == ways.get(0).size() ? each : VIEWS / 2); v++) {
                        some.add(DataImage.exact(
                                image(way.view(image.rgb(), images.side(), random.nextLong()), way.size())));
                    }
                    views.add(some);
                }
                rows.add(new ViewRow(originals.name(i), DataImage.exact(image), views));
            } catch (IOException e) {
                // The page shows the other images.
            }
        }
        return rows;
    }

    /** Converts float planes [3, size, size] to an image. */
    private static RgbImage image(float[] planes, int size) {
        byte[] rgb = new byte[planes.length];
        int plane = size * size;
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) Math.round(255 * planes[i % 3 * plane + i / 3]);
        }
        return new RgbImage(size, size, rgb);
    }
}
