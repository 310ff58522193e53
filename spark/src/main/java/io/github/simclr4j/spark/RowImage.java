// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.images.source.ImageSource;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * The image of a row, as a set of one image.
 *
 * @param label the image's name in messages
 * @param content the bytes of an image file, or its path, or null
 * @param hadoop the configuration of the file systems
 */
record RowImage(String label, Object content, Configuration hadoop) implements ImageSource {
    @Override
    public int size() {
        return 1;
    }

    @Override
    public String name(int i) {
        return label;
    }

    @Override
    public RgbImage read(int i, SizeCheck size) throws IOException {
        try {
            return decoded(size);
        } catch (IOException e) {
            throw new IOException(label + ": " + (e.getMessage() == null ? e.toString() : e.getMessage()), e);
        }
    }

    private RgbImage decoded(SizeCheck size) throws IOException {
        if (content == null) {
            throw new IOException("the image column is null");
        }
        if (content instanceof byte[] bytes) {
            return Images.read(bytes, size);
        }
        Path path;
        FileSystem files;
        long length;
        try {
            path = new Path((String) content);
            files = path.getFileSystem(hadoop);
            length = files.getFileStatus(path).getLen();
        } catch (IllegalArgumentException e) {
            throw new IOException("not a valid path: " + e.getMessage(), e);
        }
        return Images.read(length, () -> EncoderFile.content(files, path), size);
    }

    @Override
    public String fingerprint() {
        throw new UnsupportedOperationException("A row is read once");
    }

    @Override
    public void close() {}
}
