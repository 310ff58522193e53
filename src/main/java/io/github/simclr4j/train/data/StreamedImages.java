package io.github.simclr4j.train.data;

import io.github.simclr4j.images.load.ImageStream;
import io.github.simclr4j.images.load.ResidentImages;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.stream.IntStream;

/** Images that do not fit into memory: they are decoded anew in every epoch, by threads that run ahead of the trainer. */
public final class StreamedImages implements TrainingImages {
    private final ImageSource source;
    private final ImageStream.Settings settings;
    private final Progress progress;
    private final String fingerprint;
    private final int[] labels;
    private final Set<String> skipped = new ConcurrentSkipListSet<>();

    /**
     * @param source stays the caller's to close, after the run
     * @param imageSize side of the views; larger images are kept at up to twice that
     * @param megabytes (2^20 bytes) that are decoded ahead at most
     * @param batch images a step
     * @param threads that decode
     * @throws IOException if the source can't be read
     * @throws IllegalArgumentException if the megabytes don't hold two batches, or a number is below 1
     */
    public StreamedImages(ImageSource source, int imageSize, int megabytes, int batch, int threads, Progress progress)
            throws IOException {
        this(source, new ImageStream.Settings(ResidentImages.side(source, imageSize), batch, threads, megabytes), progress);
    }

    /** Where the side is known already. */
    StreamedImages(ImageSource source, ImageStream.Settings settings, Progress progress) throws IOException {
        this.source = source;
        this.progress = progress;
        this.settings = settings;
        fingerprint = ResidentImages.fingerprint(source, settings.side(), source.size());
        int[] all = IntStream.range(0, source.size()).map(i -> source.label(i).orElse(-1)).toArray();
        labels = IntStream.of(all).allMatch(l -> l >= 0) ? all : null;
    }

    @Override
    public int count() {
        return source.size();
    }

    @Override
    public ImageSource originals() {
        return source;
    }

    @Override
    public int side() {
        return settings.side();
    }

    @Override
    public int[] labels() {
        return labels;
    }

    @Override
    public List<String> classes() {
        return labels == null ? List.of() : source.classes();
    }

    @Override
    public String fingerprint() {
        return fingerprint;
    }

    @Override
    public List<String> skipped() {
        return List.copyOf(skipped);
    }

    public int batch() {
        return settings.batch();
    }

    /** What is decoded ahead at most, 2^20 bytes. */
    int megabytes() {
        return settings.megabytes();
    }

    /** A stream of batches of this size; the caller's to close. */
    ImageStream stream(int batch) {
        ImageStream.Settings s = new ImageStream.Settings(settings.side(), batch, settings.threads(), settings.megabytes());
        return new ImageStream(source, s, u -> {
            // Each epoch meets it anew.
            if (skipped.add(u.toString())) {
                progress.warn("skipped " + u + "; another image takes its place");
            }
        });
    }
}
