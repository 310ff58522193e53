// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.train.augment.ViewPicture;
import io.github.simclr4j.train.augment.ViewPicture.Composition;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.settings.PretrainSettings;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Draws some training images beside random views of them. */
final class ViewSample {
    private static final int IMAGES = 6;
    /** Number of views per image, shared by one or two compositions. */
    private static final int VIEWS = 6;

    private ViewSample() {}

    /**
     * Draws images spread evenly over the set.
     *
     * @param images the training images
     * @param s settings of the views
     * @throws IOException if none of the images can be read
     */
    static BufferedImage draw(TrainingImages images, PretrainSettings s) throws IOException {
        ImageSource source = images.originals();
        List<RgbImage> read = new ArrayList<>();
        List<String> names = new ArrayList<>();
        IOException last = null;
        int count = Math.min(IMAGES, source.size());
        for (int k = 0; k < count; k++) {
            int i = (int) ((long) k * source.size() / count);
            try {
                read.add(source.read(i));
                String name = source.name(i);
                names.add(name.substring(1 + Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\'))));
            } catch (IOException e) {
                last = e;
            }
        }
        if (read.isEmpty()) {
            throw new IOException(
                    "No image could be read to draw its views" + (last == null ? "" : ": " + last.getMessage()), last);
        }
        List<Composition> compositions = new ArrayList<>();
        boolean pair = s.method().views() > 1 && !s.firstView().equals(s.otherViews());
        compositions.add(new Composition(pair ? "First view" : "Views", s.firstView(), s.patches()));
        if (pair) {
            compositions.add(new Composition("Second view", s.otherViews(), s.patches()));
        }
        return new ViewPicture(
                        ImageSet.of(read, images.side()),
                        names,
                        compositions,
                        VIEWS / compositions.size(),
                        s.imageSize())
                .draw(s.seed())
                .picture();
    }
}
