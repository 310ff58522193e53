// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train;

import io.github.simclr4j.images.load.ImageSizes;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.data.TrainingSets;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** The images of a pretraining, in one of the forms that its builder accepts. */
interface ImageInput extends AutoCloseable {
    /**
     * Opens the images at a path and takes a sample of them; closing the input closes them.
     *
     * @param path the images
     * @param limit largest number of images, 0 for all
     * @param seed seed of the choice
     * @param progress receives progress and warnings
     * @throws IOException if the path cannot be read or has no images
     */
    static ImageInput open(Path path, int limit, long seed, Progress progress) throws IOException {
        return new Source(ImageSource.open(path, progress).sample(limit, seed), true);
    }

    /** Takes a sample of a source, which the caller closes. */
    static ImageInput of(ImageSource source, int limit, long seed) {
        return new Source(source.sample(limit, seed), false);
    }

    /** Wraps loaded images, which belong to the caller. */
    static ImageInput of(TrainingImages images) {
        return new Loaded(images);
    }

    /** Returns the number of images; some of them may turn out to be unreadable. */
    int count();

    /**
     * Checks that each image has a label.
     *
     * @param who subject of the error message: what needs the labels
     * @throws IOException if an image has no label; the message names it
     */
    void checkLabels(String who) throws IOException;

    /** Returns the class of each image, an index into {@link #classes}; -1 for an image without a label. */
    int[] labels();

    /** Returns the names of the classes. */
    List<String> classes();

    /** Decodes the images, or prepares to decode them in each epoch; the arguments are those of {@link TrainingSets#of}. */
    TrainingImages read(int imageSize, int megabytes, int batch, int decoders, Progress progress) throws IOException;

    /** Returns the median of the shorter sides of a sample of the images, in pixels; empty if it is unknown. */
    OptionalInt medianShortSide();

    /** Returns the fingerprint that the {@linkplain #read read} images have if this number of them is readable. */
    String fingerprint(int imageSize, int readable) throws IOException;

    @Override
    void close() throws IOException;

    /** Images of a source. */
    record Source(ImageSource source, boolean owned) implements ImageInput {
        @Override
        public int count() {
            return source.size();
        }

        @Override
        public void checkLabels(String who) throws IOException {
            TrainingSets.requireLabels(source, who);
        }

        @Override
        public int[] labels() {
            return IntStream.range(0, source.size())
                    .map(i -> source.label(i).orElse(-1))
                    .toArray();
        }

        @Override
        public List<String> classes() {
            return source.classes();
        }

        @Override
        public TrainingImages read(int imageSize, int megabytes, int batch, int decoders, Progress progress)
                throws IOException {
            return TrainingSets.of(source, imageSize, megabytes, batch, decoders, progress);
        }

        @Override
        public OptionalInt medianShortSide() {
            return ImageSizes.medianShortSide(source);
        }

        @Override
        public String fingerprint(int imageSize, int readable) throws IOException {
            return TrainingSets.fingerprint(source, imageSize, readable);
        }

        @Override
        public void close() throws IOException {
            if (owned) {
                source.close();
            }
        }
    }

    /** Loaded images. */
    record Loaded(TrainingImages images) implements ImageInput {
        @Override
        public int count() {
            return images.count();
        }

        @Override
        public void checkLabels(String who) throws IOException {
            if (images.labels() == null) {
                throw new IOException(who + " needs a label for each image, but the images have none");
            }
        }

        @Override
        public int[] labels() {
            return images.labels();
        }

        @Override
        public List<String> classes() {
            return images.classes();
        }

        @Override
        public TrainingImages read(int imageSize, int megabytes, int batch, int decoders, Progress progress) {
            return images;
        }

        /** They are squares of the size that they are used at. */
        @Override
        public OptionalInt medianShortSide() {
            return OptionalInt.empty();
        }

        @Override
        public String fingerprint(int imageSize, int readable) {
            return images.fingerprint();
        }

        @Override
        public void close() {
            // They belong to the caller.
        }
    }
}
