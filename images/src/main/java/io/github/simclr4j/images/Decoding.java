// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images;

import io.github.simclr4j.images.internal.DecodingHeap;
import java.io.IOException;
import javax.imageio.IIOException;

/** Runs a decoder within the limits of size and memory that apply to all formats. */
final class Decoding {

    private final ImageDecoder decoder;
    private final byte[] file;
    private final SizeCheck size;
    private long pixels;

    private Decoding(ImageDecoder decoder, byte[] file, SizeCheck size) {
        this.decoder = decoder;
        this.file = file;
        this.size = size;
    }

    /**
     * Decodes an image and applies its orientation. A large image waits until others are decoded. If it does not fit into the heap beside
     * them, it is decoded once more on its own.
     *
     * @throws IOException if the file is damaged, or if the image does not fit into the heap
     */
    static RgbImage decode(ImageDecoder decoder, byte[] file, SizeCheck size) throws IOException {
        return new Decoding(decoder, file, size).run();
    }

    private RgbImage run() throws IOException {
        try (DecodingHeap.Lease heap = DecodingHeap.enter()) {
            try {
                return upright((width, height) -> check(width, height, heap));
            } catch (OutOfMemoryError e) {
                heap.takeAll();
            }
            return upright((width, height) -> {});
        } catch (OutOfMemoryError e) {
            throw largerThanHeap(e);
        }
    }

    private void check(int width, int height, DecodingHeap.Lease heap) throws IOException {
        pixels = (long) width * height;
        if (pixels > ImageDecoder.MAX_PIXELS) {
            throw new IOException("image too large: " + pixels + " pixels, at most " + ImageDecoder.MAX_PIXELS);
        } else if (3 * pixels > Runtime.getRuntime().maxMemory()) {
            throw largerThanHeap(null);
        }
        // Holds no memory while the caller's size check may wait.
        heap.giveBack();
        size.check(width, height);
        heap.take(width, height);
    }

    private IOException largerThanHeap(Throwable cause) {
        return new IOException(
                "image too large: " + pixels + " pixels do not fit into a heap of "
                        + (Runtime.getRuntime().maxMemory() >> 20)
                        + " MB: give Java more memory (-Xmx), or shrink the image",
                cause);
    }

    private RgbImage upright(SizeCheck check) throws IOException {
        try {
            return Orientation.apply(decoder.decode(file, check), decoder.orientation(file));
        } catch (RuntimeException e) {
            throw new IOException(damaged("its parts contradict each other"), e);
        } catch (IIOException e) {
            throw new IOException("the " + decoder.format() + " image can't be decoded: " + e.getMessage(), e);
        } catch (IOException e) {
            // Java's streams report the end of the data by an exception without a message.
            throw e.getMessage() == null ? new IOException(damaged("it ends too early"), e) : e;
        }
    }

    private String damaged(String how) {
        return "damaged " + decoder.format() + " image: " + how;
    }
}
