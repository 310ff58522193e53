// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.LeftOut;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.images.internal.Fingerprint;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** A concatenation of several sets of images, such as the shards of a large set. Classes of the same name are the same class. */
final class ShardedSource extends Labelled {
    private final List<ImageSource> shards;
    /** Index of each shard's first image, followed by the number of all images. */
    private final int[] firsts;

    private ShardedSource(List<ImageSource> shards, int[] firsts, Labels labels) {
        super(labels);
        this.shards = shards;
        this.firsts = firsts;
    }

    static ShardedSource of(List<ImageSource> shards) {
        int[] firsts = new int[shards.size() + 1];
        List<String> labels = new ArrayList<>();
        for (int s = 0; s < shards.size(); s++) {
            ImageSource shard = shards.get(s);
            firsts[s + 1] = Math.addExact(firsts[s], shard.size());
            for (int i = 0; i < shard.size(); i++) {
                labels.add(
                        shard.label(i).isEmpty()
                                ? null
                                : shard.classes().get(shard.label(i).getAsInt()));
            }
        }
        return new ShardedSource(List.copyOf(shards), firsts, Labels.ofNames(labels));
    }

    /** Returns the index of the shard that contains an image. */
    private int shard(int i) {
        int found = Arrays.binarySearch(firsts, i);
        return found < 0 ? -found - 2 : found;
    }

    @Override
    public int size() {
        return firsts[shards.size()];
    }

    @Override
    public String name(int i) {
        int s = shard(i);
        return shards.get(s).name(i - firsts[s]);
    }

    @Override
    public RgbImage read(int i, SizeCheck size) throws IOException {
        int s = shard(i);
        return shards.get(s).read(i - firsts[s], size);
    }

    @Override
    public Optional<byte[]> fileBytes(int i) throws IOException {
        int s = shard(i);
        return shards.get(s).fileBytes(i - firsts[s]);
    }

    @Override
    public LeftOut leftOut() {
        return shards.stream().map(ImageSource::leftOut).reduce(LeftOut.NONE, LeftOut::plus);
    }

    @Override
    public String fingerprint() throws IOException {
        Fingerprint f = new Fingerprint();
        labels.addTo(f);
        for (ImageSource shard : shards) {
            f.add(shard.fingerprint());
        }
        return f.hex();
    }

    @Override
    public void close() throws IOException {
        closeAll(shards);
    }

    /** Closes all sources, and then throws the exception of one of them, if any. */
    static void closeAll(List<ImageSource> sources) throws IOException {
        IOException failed = null;
        for (ImageSource source : sources) {
            try {
                source.close();
            } catch (IOException e) {
                failed = e;
            }
        }
        if (failed != null) {
            throw failed;
        }
    }
}
