// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;

/**
 * Reads a zip archive of image files in place, sorted by name. The classes are in files beside the images ({@code .cls}, the field
 * {@code label}, {@code class} or {@code cls} of {@code .json}, or {@code .txt}). Otherwise the first folder is the class, after folders
 * that all members share.
 *
 * @since 0.1.0
 */
public final class ZipFormat implements ImageSetFormat {
    private static final Set<String> ARCHIVES = Set.of("zip", "jar");

    @Override
    public String name() {
        return "zip";
    }

    @Override
    public String description() {
        return "a zip archive of images";
    }

    @Override
    public int order() {
        return 600;
    }

    @Override
    public Optional<ImageSource> open(ImageSetCandidate candidate, Progress progress) throws IOException {
        String archive = candidate.compression() == null ? candidate.archive() : null;
        return archive != null && ARCHIVES.contains(archive)
                ? Optional.of(ZipSource.open(candidate.path(), progress))
                : Optional.empty();
    }
}
