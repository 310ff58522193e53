package io.github.simclr4j.train;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.data.TrainingSets;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/** Images in one of the forms in which a {@link PretrainingBuilder} takes them. */
interface ImageInput extends AutoCloseable {
    /**
     * Opens what stands at a path, and takes a sample of it; closing the input closes it.
     *
     * @param limit how many images at most, 0 for all
     * @param seed of the choice
     * @throws IOException if it can't be read or holds no images
     */
    static ImageInput open(Path path, int limit, long seed, Progress progress) throws IOException {
        return new Source(ImageSource.open(path, progress).sample(limit, seed), true);
    }

    /** Takes a sample of a source, which stays the caller's to close. */
    static ImageInput of(ImageSource source, int limit, long seed) {
        return new Source(source.sample(limit, seed), false);
    }

    /** Takes images that are the caller's. */
    static ImageInput of(TrainingImages images) {
        return new Loaded(images);
    }

    /** Returns how many images there are; some of them may turn out to be unreadable. */
    int count();

    /**
     * Checks that each image has a class.
     *
     * @param who needs them, in words
     * @throws IOException if one has none; the message names it
     */
    void checkLabels(String who) throws IOException;

    /** Returns the class of each image, an index into {@link #classes}; -1 for one without. */
    int[] labels();

    /** Returns the names of the classes. */
    List<String> classes();

    /** Decodes the images, or prepares to decode them in each epoch; arguments as for {@link TrainingImages#of}. */
    TrainingImages read(int imageSize, int megabytes, int batch, int decoders, Progress progress) throws IOException;

    /** Returns the fingerprint of the {@linkplain #read read} images if so many of them turn out to be readable. */
    String fingerprint(int imageSize, int readable) throws IOException;

    @Override
    void close() throws IOException;

    /** Images that are read by index. */
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
            return IntStream.range(0, source.size()).map(i -> source.label(i).orElse(-1)).toArray();
        }

        @Override
        public List<String> classes() {
            return source.classes();
        }

        @Override
        public TrainingImages read(int imageSize, int megabytes, int batch, int decoders, Progress progress) throws IOException {
            return TrainingSets.of(source, imageSize, megabytes, batch, decoders, progress);
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

    /** Images that somebody read. */
    record Loaded(TrainingImages images) implements ImageInput {
        @Override
        public int count() {
            return images.count();
        }

        @Override
        public void checkLabels(String who) throws IOException {
            if (images.labels() == null) {
                throw new IOException(who + " needs a class of each image, and these have none");
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

        @Override
        public String fingerprint(int imageSize, int readable) {
            return images.fingerprint();
        }

        @Override
        public void close() {
            // They are the caller's.
        }
    }
}
