// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.LeftOut;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.images.internal.RawNames;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A source of the image files in the caller's list, without labels. */
final class FileList extends PathSource {
    private final List<Path> files;

    FileList(List<Path> files) {
        super(null, files.stream().map(RawNames::text).toList(), Labels.none(files.size()), LeftOut.NONE);
        this.files = List.copyOf(files);
    }

    /** Reads an image with the error messages of {@link Images}, which name the file. */
    @Override
    public RgbImage read(int i, SizeCheck size) throws IOException {
        try {
            RgbImage image = Images.read(files.get(i), size);
            access.seen(i);
            return image;
        } catch (IOException e) {
            access.check(i, e);
            throw e;
        }
    }

    @Override
    Path file(int i) {
        return files.get(i);
    }
}
