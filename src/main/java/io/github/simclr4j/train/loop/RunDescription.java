// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.util.Sha256;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Describes settings and images of a run, to compare a run with a checkpoint and for the metadata of encoder files.
 *
 * @since 0.1.0
 */
public final class RunDescription {
    private RunDescription() {}

    /**
     * Describes a run.
     *
     * @param settings settings as they are {@linkplain PretrainSettings#on used} on this number of images
     * @param images number of images
     * @param fingerprint hash of the images' content
     * @param classes names of the classes
     * @param labels class of each image, or null; part of the description only if the method needs labels
     * @param startedFrom SHA-256 of the encoder file that the run starts from, or null
     */
    public static Map<String, String> of(
            PretrainSettings settings,
            int images,
            String fingerprint,
            List<String> classes,
            int[] labels,
            String startedFrom) {
        Map<String, String> all = new TreeMap<>(settings.describe());
        all.put("data.images", "" + images);
        all.put("data.fingerprint", fingerprint);
        if (settings.needsLabels()) {
            String text = classes + Arrays.toString(labels);
            all.put("data.labels", Sha256.hex(text.getBytes(StandardCharsets.UTF_8)));
        }
        if (startedFrom != null) {
            all.put("training.started_from", startedFrom);
        }
        return all;
    }
}
