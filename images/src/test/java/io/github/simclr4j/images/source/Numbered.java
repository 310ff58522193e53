// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;

/** Each image is all of one colour, its number. */
public class Numbered implements ImageSource {
    final int size;
    public final AtomicInteger reads = new AtomicInteger();

    public Numbered(int size) {
        this.size = size;
    }

    public int side(int i) {
        return 8;
    }

    /** Called between the size's check and the pixels. */
    public void decoding(int i) throws IOException {}

    @Override
    public int size() {
        return size;
    }

    @Override
    public String name(int i) {
        return "number " + i;
    }

    @Override
    public RgbImage read(int i, SizeCheck check) throws IOException {
        int side = side(i);
        check.check(side, side);
        reads.incrementAndGet();
        decoding(i);
        byte[] rgb = new byte[3 * side * side];
        for (int p = 0; p < rgb.length; p += 3) {
            rgb[p] = (byte) i;
            rgb[p + 1] = (byte) (i >> 8);
            rgb[p + 2] = (byte) (i >> 16);
        }
        return new RgbImage(side, side, rgb);
    }

    @Override
    public String fingerprint() {
        return "numbers";
    }

    @Override
    public void close() {}
}
