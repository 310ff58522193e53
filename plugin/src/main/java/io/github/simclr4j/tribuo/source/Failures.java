// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.source;

import io.github.simclr4j.onnx.runtime.InvalidFeaturesException;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.PreparedImage;
import io.github.simclr4j.tribuo.internal.ImageFiles;
import io.github.simclr4j.tribuo.internal.ReadAhead;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.logging.Logger;
import java.util.stream.IntStream;

/** Collects the images that could not be read, with the reasons, and applies the policy for them. */
final class Failures {
    private static final Logger logger = Logger.getLogger(Failures.class.getName());

    private final Map<String, String> reasons = Collections.synchronizedMap(new LinkedHashMap<>());

    /** Throws, or records an unreadable image and logs it the first time. */
    void handle(OnUnreadable policy, String name, IOException reason) {
        if (policy == OnUnreadable.FAIL) {
            throw new UncheckedIOException(name + ": " + ImageFiles.reason(reason), reason);
        }
        note(name, ImageFiles.reason(reason), policy == OnUnreadable.SKIP ? "Skipped " : "Set all features to 0 for ");
    }

    void note(String name, String reason, String done) {
        if (reasons.put(name, reason) == null) {
            logger.warning(done + name + ": " + reason);
        }
    }

    Map<String, String> reasons() {
        synchronized (reasons) {
            return Collections.unmodifiableMap(new LinkedHashMap<>(reasons));
        }
    }

    /**
     * Encodes prepared images together.
     *
     * @param names the names of the images in messages
     * @return an array of features per image; for an unreadable image zeros, or null if it is left out
     */
    <I> List<double[]> encode(
            ImageFeatureExtractor<?> extractor,
            OnUnreadable policy,
            List<ReadAhead.Ready<I, PreparedImage>> images,
            List<String> names) {
        List<PreparedImage> good = new ArrayList<>();
        for (int i = 0; i < images.size(); i++) {
            if (images.get(i).failure() == null) {
                good.add(images.get(i).value());
            } else {
                handle(policy, names.get(i), images.get(i).failure());
            }
        }
        double[][] features;
        try {
            features = extractor.encode(good);
        } catch (InvalidFeaturesException e) {
            List<String> read = IntStream.range(0, names.size())
                    .filter(i -> images.get(i).failure() == null)
                    .mapToObj(names::get)
                    .toList();
            throw e.named(read.get(e.index()));
        }
        List<double[]> all = new ArrayList<>();
        int next = 0;
        for (ReadAhead.Ready<I, PreparedImage> image : images) {
            if (image.failure() == null) {
                all.add(features[next++]);
            } else {
                all.add(policy == OnUnreadable.ZERO ? new double[extractor.dimension()] : null);
            }
        }
        return all;
    }
}
