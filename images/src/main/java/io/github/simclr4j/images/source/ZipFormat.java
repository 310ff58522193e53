package io.github.simclr4j.images.source;

import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;

/**
 * A zip archive of image files, in the order of their names. Their classes stand in files beside them ({@code .cls}, a field
 * {@code label}, {@code class} or {@code cls} of {@code .json}, {@code .txt}), or else are their folders; those that all members
 * share above their class are left out. It is read where it is.
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
