// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.data;

import io.github.simclr4j.images.load.ImageStream;
import io.github.simclr4j.images.load.ResidentImages;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.util.Locale;

/**
 * Creates {@link TrainingImages} from a source of images.
 *
 * @since 0.1.0
 */
public final class TrainingSets {
    private TrainingSets() {}

    /**
     * Loads images: a set that fits into memory is decoded once, a larger one is decoded ahead of the trainer in every epoch.
     *
     * @param source the images; the caller closes it after the run
     * @param imageSize side of the views in pixels; larger images are stored at up to twice that side
     * @param megabytes memory for the set, or for decoding ahead if the set does not fit, in units of 2^20 bytes; 0 for the free heap,
     *     at most half of which is used for decoding ahead
     * @param batch images per step
     * @param threads number of decoding threads; 0 for one per core
     * @param progress receives the progress and warnings
     * @throws IOException if there is no readable image
     * @throws IllegalArgumentException if the memory for decoding ahead does not hold two batches
     */
    public static TrainingImages of(
            ImageSource source, int imageSize, int megabytes, int batch, int threads, Progress progress)
            throws IOException {
        long available = ResidentImages.available();
        long room = megabytes == 0 ? available : Math.min(available, (long) megabytes << 20);
        int side = ResidentImages.side(source, imageSize);
        long needed = ResidentImages.bytes(source.size(), side);
        if (needed <= room) {
            return ImageSet.of(ResidentImages.read(source, imageSize, progress), source);
        }
        progress.line(String.format(
                Locale.ROOT,
                "%d images of %dx%d pixels take %d MB, but only %d MB are free: they are decoded"
                        + " again in every epoch",
                source.size(),
                side,
                side,
                needed >> 20,
                room >> 20));
        int ahead = (int) Math.max(1, (megabytes == 0 ? room / 2 : room) >> 20);
        int decoders = threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
        return new StreamedImages(
                source, new ImageStream.Settings(side, Math.min(batch, source.size()), decoders, ahead), progress);
    }

    /**
     * Checks that every image has a label before any image is decoded.
     *
     * @param source the images
     * @param who subject of the error message: what needs the labels
     * @throws IOException if an image has no label; the message names it
     */
    public static void requireLabels(ImageSource source, String who) throws IOException {
        for (int i = 0; i < source.size(); i++) {
            if (source.label(i).isEmpty()) {
                throw new IOException(who + " needs a label for each image, expected one sub-folder per class: "
                        + source.name(i) + " has none");
            }
        }
    }

    /**
     * Returns the fingerprint that the images of a source have once they are {@linkplain #of loaded}, without decoding them.
     *
     * @param source the images
     * @param imageSize side of the views in pixels
     * @param readable number of images that can be read
     * @throws IOException if the source cannot be read
     */
    public static String fingerprint(ImageSource source, int imageSize, int readable) throws IOException {
        return ResidentImages.fingerprint(source, ResidentImages.side(source, imageSize), readable);
    }
}
