package io.github.simclr4j.images.source;

import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.util.Optional;

/**
 * A tar archive of image files, or of the binary files of CIFAR, STL-10 or MNIST, plain or compressed by gzip, xz or bzip2.
 * Names and classes are those of {@link ZipFormat}. A plain tar is read where it is; a compressed one is decompressed once:
 * what is of use is kept in memory up to a sixteenth of the heap and at most 256 MB, beyond that in one temporary file
 * ({@code java.io.tmpdir}) that closing deletes. Of several members of one name the last counts, and links lead to
 * members, as if unpacked; a link that leads out of the archive is left out.
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
