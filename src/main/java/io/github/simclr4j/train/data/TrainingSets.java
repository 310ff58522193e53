package io.github.simclr4j.train.data;

import io.github.simclr4j.images.load.ImageStream;
import io.github.simclr4j.images.load.ResidentImages;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.util.Locale;

/** Makes {@link TrainingImages} of any source of images. */
public final class TrainingSets {
    private TrainingSets() {}

    /**
     * Brings images to the trainer: a set that fits is decoded once and held in memory, a larger one is decoded anew in every
     * epoch, ahead of the trainer.
     *
     * @param source stays the caller's to close, after the run
     * @param imageSize side of the views; larger images are kept at up to twice that
     * @param megabytes (2^20 bytes) that a set may take in memory, or that are decoded ahead of a set that does not fit; 0 for
     *     what the heap has room for, and half of that decoded ahead at most
     * @param batch images a step
     * @param threads that decode ahead; 0 for one a core
     * @throws IOException if there is no readable image
     * @throws IllegalArgumentException if what is decoded ahead does not hold two batches
     */
    public static TrainingImages of(ImageSource source, int imageSize, int megabytes, int batch, int threads, Progress progress)
            throws IOException {
        long available = ResidentImages.available();
        long room = megabytes == 0 ? available : Math.min(available, (long) megabytes << 20);
        int side = ResidentImages.side(source, imageSize);
        long needed = ResidentImages.bytes(source.size(), side);
        if (needed <= room) {
            return ImageSet.of(ResidentImages.read(source, imageSize, progress), source);
        }
        progress.line(String.format(Locale.ROOT, "%d images of %dx%d pixels take %d MB, of which %d MB are free: they are decoded"
                + " anew in every epoch", source.size(), side, side, needed >> 20, room >> 20));
        int ahead = (int) Math.max(1, (megabytes == 0 ? room / 2 : room) >> 20);
        int decoders = threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
        return new StreamedImages(source,
                new ImageStream.Settings(side, Math.min(batch, source.size()), decoders, ahead), progress);
    }

    /**
     * Checks that every image has a class, before any is decoded.
     *
     * @param who what needs the classes; the message begins with it
     * @throws IOException if an image has no class; the message names it
     */
    public static void requireLabels(ImageSource source, String who) throws IOException {
        for (int i = 0; i < source.size(); i++) {
            if (source.label(i).isEmpty()) {
                throw new IOException(who + " needs a class of each image, expected one sub-folder a class: " + source.name(i)
                        + " has none");
            }
        }
    }

    /**
     * Returns the fingerprint that the images of a source have once they are {@linkplain #of read}, without decoding them.
     *
     * @param imageSize side of the views
     * @param readable how many of the images can be read
     * @throws IOException if the source can't be read
     */
    public static String fingerprint(ImageSource source, int imageSize, int readable) throws IOException {
        return ResidentImages.fingerprint(source, ResidentImages.side(source, imageSize), readable);
    }
}
