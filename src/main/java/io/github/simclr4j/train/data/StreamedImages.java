// SPDX-License-Identifier: Apache-2.0
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

/**
 * Images that do not fit into memory. Threads that run ahead of the trainer decode them again in every epoch.
 *
 * @since 0.1.0
 */
public final class StreamedImages implements TrainingImages {
    private final ImageSource source;
    private final ImageStream.Settings settings;
    private final Progress progress;
    private final String fingerprint;
    private final int[] labels;
    private final Set<String> skipped = new ConcurrentSkipListSet<>();

    /**
     * Prepares a stream of images.
     *
     * @param source the images; the caller closes it after the run
     * @param imageSize side of the views in pixels; larger images are stored at up to twice that side
     * @param megabytes largest amount that is decoded ahead, in units of 2^20 bytes
     * @param batch images per step
     * @param threads number of decoding threads
     * @param progress receives warnings about images that cannot be read
     * @throws IOException if the source cannot be read
     * @throws IllegalArgumentException if the megabytes do not hold two batches, or a number is below 1
     */
    public StreamedImages(ImageSource source, int imageSize, int megabytes, int batch, int threads, Progress progress)
            throws IOException {
        this(
                source,
                new ImageStream.Settings(ResidentImages.side(source, imageSize), batch, threads, megabytes),
                progress);
    }

    /** Prepares a stream of images whose side is already known. */
    StreamedImages(ImageSource source, ImageStream.Settings settings, Progress progress) throws IOException {
        this.source = source;
        this.progress = progress;
        this.settings = settings;
        fingerprint = ResidentImages.fingerprint(source, settings.side(), source.size());
        int[] all = IntStream.range(0, source.size())
                .map(i -> source.label(i).orElse(-1))
                .toArray();
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

    /** Returns the largest amount that is decoded ahead, in units of 2^20 bytes. */
    int megabytes() {
        return settings.megabytes();
    }

    /** Returns a stream of batches of this size, which the caller closes. */
    ImageStream stream(int batch) {
        ImageStream.Settings s =
                new ImageStream.Settings(settings.side(), batch, settings.threads(), settings.megabytes());
        return new ImageStream(source, s, u -> {
            // The image fails in every epoch, but one warning is enough.
            if (skipped.add(u.toString())) {
                progress.warn("skipped " + u + "; another image takes its place");
            }
        });
    }
}
