// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.LeftOut;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.images.internal.Fingerprint;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** A subset of the images of another source, in its order. */
final class Subset implements ImageSource {
    private final ImageSource all;
    private final int[] chosen;

    Subset(ImageSource all, int[] chosen) {
        this.all = all;
        this.chosen = chosen;
    }

    @Override
    public int size() {
        return chosen.length;
    }

    @Override
    public String name(int i) {
        return all.name(chosen[i]);
    }

    @Override
    public RgbImage read(int i, SizeCheck size) throws IOException {
        return all.read(chosen[i], size);
    }

    @Override
    public Optional<byte[]> fileBytes(int i) throws IOException {
        return all.fileBytes(chosen[i]);
    }

    @Override
    public OptionalInt label(int i) {
        return all.label(chosen[i]);
    }

    @Override
    public List<String> classes() {
        return all.classes();
    }

    @Override
    public LeftOut leftOut() {
        return all.leftOut();
    }

    @Override
    public String fingerprint() throws IOException {
        Fingerprint f = new Fingerprint();
        f.add(all.fingerprint());
        for (int i : chosen) {
            f.add(i);
        }
        return f.hex();
    }

    @Override
    public void close() throws IOException {
        all.close();
    }
}
