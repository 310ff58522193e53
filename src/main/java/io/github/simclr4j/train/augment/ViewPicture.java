// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import io.github.simclr4j.train.data.ImageSet;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A picture of images beside their random views, enlarged by an integer factor without smoothing. Each row begins with the name of its
 * image, and each view has a caption with the augmentations that were applied.
 *
 * @since 0.1.0
 */
public final class ViewPicture {
    /** Width that the picture reaches if its views need at most {@link #MOST} pixels for it. */
    private static final int WIDTH = 1200;
    /** Smallest side of a drawn view, which leaves room for captions, and largest side; larger views are not enlarged. */
    private static final int LEAST = 112;

    private static final int MOST = 256;
    /** Largest number of pixels of a picture. */
    private static final long PIXELS = 200_000_000;

    private static final int MARGIN = 24;
    private static final int GAP = 8;
    /** Space in pixels between names, originals and the views of each composition. */
    private static final int APART = 24;
    /** Largest width of an image's name in pixels. */
    private static final int NAMES = 150;

    private static final Color LINE = new Color(0xc9cdd3);

    private final ImageSet images;
    private final List<String> names;
    private final List<Composition> compositions;
    private final int count;
    private final int size;
    private final int nameWidth;
    private int factor;
    private final Lettering title = Lettering.bold(18);
    private final Lettering bold = Lettering.bold(16);
    private final Lettering quiet = Lettering.quiet(15);
    private final Lettering small = Lettering.quiet(14);

    /**
     * A composition of views with a title for its columns.
     *
     * @param title title, such as the name of a preset
     * @param pipeline the augmentations
     * @param patches the patches of the views, or {@link PatchGrid#NONE}
     */
    public record Composition(String title, AugmentationPipeline pipeline, PatchGrid patches) {
        /** Returns views whose patches, if the augmentations treat them singly, are those of {@link PatchGrid#usual}. */
        public static Composition of(String title, AugmentationPipeline pipeline, int size) {
            return new Composition(
                    title, pipeline, pipeline.patchSteps().isEmpty() ? PatchGrid.NONE : PatchGrid.usual(size));
        }
    }

    /**
     * Prepares a picture.
     *
     * @param images at least one image
     * @param names names of the images, in order
     * @param compositions at least one composition
     * @param count views per image and composition, at least 1
     * @param size side of the views in pixels before enlargement
     * @throws IllegalArgumentException if there is nothing to draw, if a name is missing, or if the picture would have more than
     *     200 million pixels
     */
    public ViewPicture(ImageSet images, List<String> names, List<Composition> compositions, int count, int size) {
        if (images.count() == 0 || compositions.isEmpty() || count < 1 || names.size() != images.count()) {
            throw new IllegalArgumentException(
                    "Expected at least one image, each with a name, one composition and one view, found "
                            + images.count() + " images, " + names.size() + " names, " + compositions.size()
                            + " compositions and " + count
                            + " views");
        }
        this.images = images;
        this.names = List.copyOf(names);
        this.compositions = List.copyOf(compositions);
        this.count = count;
        this.size = size;
        nameWidth = nameWidth();
        int cells = 1 + count * compositions.size();
        factor = (LEAST + size - 1) / size;
        while (left(cells) < WIDTH && (factor + 1) * size <= MOST) {
            factor++;
        }
        long height = (long) images.count() * (cell() + 3L * small.lineHeight() + GAP);
        if ((long) left(cells) * height > PIXELS) {
            throw new IllegalArgumentException("A picture of " + left(cells) + "x" + height
                    + " pixels is too large: draw fewer" + " images, fewer views of each, or smaller ones");
        }
    }

    /** Tells whether Java has a font for the captions; without one the picture has no captions. */
    public static boolean hasCaptions() {
        return Lettering.isAvailable();
    }

    /** Returns the side of a drawn view in pixels. */
    public int cell() {
        return factor * size;
    }

    /**
     * Returns the left edge of a column in pixels.
     *
     * @param column 0 for the originals, then the views by each composition
     */
    public int left(int column) {
        int names = Lettering.isAvailable() ? nameWidth + APART : 0;
        int groups = column == 0 ? 0 : 1 + (column - 1) / count;
        return MARGIN + names + column * (cell() + GAP) + groups * (APART - GAP);
    }

    /**
     * Draws the views of a seed.
     *
     * @return an RGB picture on white, with the positions of its rows
     */
    public Drawn draw(long seed) {
        int rows = images.count();
        SplittableRandom random = new SplittableRandom(seed);
        List<Column> columns = new ArrayList<>();
        columns.add(new Column(new ViewGenerator(AugmentationPipeline.of("none"), size), new long[rows]));
        for (Composition c : compositions) {
            ViewGenerator generator = new ViewGenerator(c.pipeline(), size, c.patches());
            for (int k = 0; k < count; k++) {
                columns.add(new Column(generator, random.longs(rows).toArray()));
            }
        }
        List<List<List<String>>> captions = new ArrayList<>();
        for (Column c : columns) {
            List<List<String>> column = new ArrayList<>();
            for (int row = 0; row < rows; row++) {
                column.add(small.wrapped(
                        c.generator().applied(images.pixels().get(row), images.side(), c.seeds()[row]), cell() - GAP));
            }
            captions.add(column);
        }
        int lines = captions.stream()
                .flatMap(List::stream)
                .mapToInt(List::size)
                .max()
                .orElse(0);
        int top = header(null);
        int step = cell() + lines * small.lineHeight() + GAP + (Lettering.isAvailable() ? GAP : 0);
        int width = left(columns.size() - 1) + cell() + MARGIN;
        BufferedImage picture = new BufferedImage(width, top + rows * step - GAP + MARGIN, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = picture.createGraphics();
        g.setColor(Color.WHITE);
        g.fillRect(0, 0, picture.getWidth(), picture.getHeight());
        header(g);
        for (int row = 0; row < rows; row++) {
            int y = top + row * step;
            name(g, row, y);
            for (int column = 0; column < columns.size(); column++) {
                view(picture, columns.get(column), row, left(column), y);
                for (int line = 0; line < captions.get(column).get(row).size(); line++) {
                    small.write(
                            g,
                            captions.get(column).get(row).get(line),
                            left(column),
                            y + cell() + 2 + line * small.lineHeight());
                }
            }
        }
        g.dispose();
        return new Drawn(picture, top, step);
    }

    /**
     * A picture and the positions of its rows.
     *
     * @param picture RGB picture
     * @param top pixels above the first row
     * @param step pixels from one row to the next
     */
    public record Drawn(BufferedImage picture, int top, int step) {}

    private record Column(ViewGenerator generator, long[] seeds) {}

    /** Draws the header, or only measures it if the graphics are null; returns its height. */
    private int header(Graphics2D g) {
        int lowest = MARGIN;
        for (int c = 0; c < compositions.size(); c++) {
            int first = 1 + c * count;
            int width = left(first + count - 1) + cell() - left(first);
            int y = MARGIN;
            if (g != null) {
                title.write(g, title.shortened(compositions.get(c).title(), width), left(first), y);
            }
            y += title.lineHeight();
            String text = compositions.get(c).pipeline().toString().replaceAll("\\.0(?=[/@,]|$)", "");
            for (String line : quiet.wrapped(Arrays.asList(text.split(",")), width)) {
                if (g != null) {
                    quiet.write(g, line, left(first), y);
                }
                y += quiet.lineHeight();
            }
            lowest = Math.max(lowest, y);
        }
        if (!Lettering.isAvailable()) {
            return MARGIN;
        }
        lowest += GAP;
        if (g != null) {
            bold.write(g, "original", left(0), lowest);
            for (int column = 1; column <= compositions.size() * count; column++) {
                bold.write(g, "view " + (1 + (column - 1) % count), left(column), lowest);
            }
            g.setColor(LINE);
            int below = lowest + bold.lineHeight() + GAP / 2;
            g.drawLine(left(0), below, left(compositions.size() * count) + cell() - 1, below);
        }
        return lowest + bold.lineHeight() + 2 * GAP;
    }

    private int nameWidth() {
        int classes = images.labels() == null
                ? 0
                : Arrays.stream(images.labels())
                        .map(l -> bold.width(images.classes().get(l)))
                        .max()
                        .orElse(0);
        return Math.min(
                NAMES,
                Math.max(classes, names.stream().mapToInt(small::width).max().orElse(0)));
    }

    /** Draws the class and the name of an image before its row. */
    private void name(Graphics2D g, int row, int top) {
        int y = top;
        if (images.labels() != null) {
            bold.write(g, bold.shortened(images.classes().get(images.labels()[row]), nameWidth), MARGIN, y);
            y += bold.lineHeight();
        }
        small.write(g, small.shortened(names.get(row), nameWidth), MARGIN, y);
    }

    private void view(BufferedImage picture, Column column, int row, int left, int top) {
        float[] v = column.generator().view(images.pixels().get(row), images.side(), column.seeds()[row]);
        // A view of patches is larger than its image; both fill a cell.
        int side = column.generator().size();
        int[] line = new int[cell()];
        for (int y = 0; y < cell(); y++) {
            for (int x = 0; x < cell(); x++) {
                line[x] = ViewGrid.rgb(v, y * side / cell() * side + x * side / cell(), side * side);
            }
            picture.setRGB(left, top + y, cell(), 1, line, 0, cell());
        }
    }
}
