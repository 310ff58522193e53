// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.extraction;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.runtime.InvalidFeaturesException;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.tribuo.internal.EncoderFacts;
import io.github.simclr4j.util.LibraryVersion;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Runs an encoder on batches of images, with an optional cache of features. */
final class CachedEncoder {
    private final SharedEncoder shared;
    private final FeatureCache cache;
    /** A hash of everything but the image that influences the features. */
    private final String key;

    /**
     * Takes over one reference to a shared encoder.
     *
     * @param cache null for none
     */
    CachedEncoder(SharedEncoder shared, FeatureCache cache, RuntimeSettings runtime) {
        this.shared = shared;
        this.cache = cache;
        key = key(shared.encoder(), runtime);
    }

    /** Hashes the encoder file, its preprocessing, settings, provider and kind of convolutions, and the library's version, whose decoders may differ. */
    private static String key(OnnxEncoder encoder, RuntimeSettings runtime) {
        String made = String.join(
                "\n",
                encoder.sha256(),
                encoder.preprocessing().toString(),
                EncoderFacts.withoutSources(encoder.settings()),
                runtime.options().isEmpty() ? runtime.provider() : runtime.provider() + " " + runtime.options(),
                runtime.customiser() == null ? "" : "customised",
                encoder.usesWinograd() ? "winograd" : "direct",
                LibraryVersion.current());
        return Sha256.hex(made.getBytes(StandardCharsets.UTF_8));
    }

    SharedEncoder shared() {
        return shared;
    }

    /** Looks an image file up in the cache, or else decodes and preprocesses it. */
    PreparedImage prepare(byte[] file) throws IOException {
        String image = cache == null ? null : Sha256.hex(file);
        PreparedImage cached = cached(image);
        if (cached != null) {
            return cached;
        }
        long start = System.nanoTime();
        RgbImage pixels = Images.read(file);
        return preprocess(pixels, image, System.nanoTime() - start);
    }

    /** Looks a decoded image up in the cache by its pixels, or else preprocesses it. */
    PreparedImage prepare(RgbImage image) {
        String content = null;
        if (cache != null) {
            byte[] rgb = image.rgb();
            content = Sha256.hex(ByteBuffer.allocate(11 + rgb.length)
                    .put("RGB".getBytes(StandardCharsets.US_ASCII))
                    .putInt(image.width())
                    .putInt(image.height())
                    .put(rgb)
                    .array());
        }
        PreparedImage cached = cached(content);
        return cached != null ? cached : preprocess(image, content, 0);
    }

    private PreparedImage cached(String image) {
        float[] known =
                image == null ? null : cache.get(key, image, shared.encoder().dimension());
        return known == null ? null : new PreparedImage(null, known, image, 0, 0);
    }

    private PreparedImage preprocess(RgbImage image, String content, long decodeNanos) {
        long start = System.nanoTime();
        RgbImage pixels = shared.encoder().preprocessing().apply(image);
        return new PreparedImage(pixels, null, content, decodeNanos, System.nanoTime() - start);
    }

    /** Encodes prepared images, and reports each run of the encoder and the whole call to the listener. */
    float[][] encode(List<PreparedImage> images, ExtractionListener listener) {
        float[][] features = new float[images.size()][];
        List<Integer> unknown = new ArrayList<>();
        for (int i = 0; i < features.length; i++) {
            features[i] = images.get(i).known;
            if (features[i] == null) {
                unknown.add(i);
            }
        }
        long inference = 0;
        int most = shared.encoder().batch();
        for (int from = 0; from < unknown.size(); from += most) {
            List<Integer> run = unknown.subList(from, Math.min(unknown.size(), from + most));
            List<PreparedImage> prepared = run.stream().map(images::get).toList();
            long start = System.nanoTime();
            float[][] embeddings;
            try {
                embeddings = shared.embed(prepared.stream().map(p -> p.pixels).toList());
            } catch (InvalidFeaturesException e) {
                throw e.at(run.get(e.index()));
            }
            long nanos = System.nanoTime() - start;
            inference += nanos;
            for (int i = 0; i < embeddings.length; i++) {
                features[run.get(i)] = embeddings[i];
                if (prepared.get(i).key != null) {
                    cache.put(key, prepared.get(i).key, embeddings[i]);
                }
            }
            listener.batch(timings(prepared, nanos));
        }
        if (features.length > 0) {
            listener.call(timings(images, inference));
        }
        return features;
    }

    private static ExtractionListener.Timings timings(List<PreparedImage> images, long inference) {
        int cached = 0;
        long decode = 0;
        long preprocess = 0;
        for (PreparedImage image : images) {
            cached += image.known == null ? 0 : 1;
            decode += image.decodeNanos;
            preprocess += image.preprocessNanos;
        }
        return new ExtractionListener.Timings(images.size(), cached, decode, preprocess, inference);
    }
}
