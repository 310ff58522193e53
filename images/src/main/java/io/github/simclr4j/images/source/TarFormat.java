// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.util.Optional;

/**
 * Reads a tar archive of image files, or of the binary files of CIFAR, STL-10 or MNIST, plain or compressed by gzip, xz or bzip2. Names
 * and classes are those of {@link ZipFormat}.
 *
 * <ul>
 *   <li>A plain archive is read in place.
 *   <li>A compressed archive is decompressed once. The members that are needed are kept in memory, up to a sixteenth of the heap and at
 *       most 256 MB. If that is not enough, they are stored in a temporary file ({@code java.io.tmpdir}), which {@code close} deletes.
 *   <li>Of several members with the same name the last counts, and links are followed, as if the archive was unpacked. Links out of the
 *       archive are left out.
 * </ul>
 *
 * @since 0.1.0
 */
public final class TarFormat implements ImageSetFormat {
    @Override
    public String name() {
        return "tar";
    }

    @Override
    public String description() {
        return "a tar archive of images";
    }

    @Override
    public int order() {
        return 500;
    }

    @Override
    public Optional<ImageSource> open(ImageSetCandidate candidate, Progress progress) throws IOException {
        if (candidate.compression() == null) {
            return "tar".equals(candidate.archive())
                    ? Optional.of(TarSource.open(candidate.path(), progress))
                    : Optional.empty();
        }
        return candidate.isDecompressed() && "tar".equals(ImageSetCandidate.archive(candidate.decompressed()))
                ? Optional.of(TarSource.decompress(candidate.path(), progress))
                : Optional.empty();
    }
}
