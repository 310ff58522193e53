// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.teacher;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.util.Progress;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;

/**
 * A teacher's features of each image of a source, computed once and cached in a file.
 *
 * <p>The file's name is a hash of the teacher's content, settings, execution provider and kind of convolutions, and of the
 * {@linkplain ImageSource#fingerprint fingerprint} of the images. An interrupted computation continues where it stopped. Images that
 * were unreadable in an earlier run are tried again. Only requested rows are in memory. Not thread-safe.
 *
 * @since 0.1.0
 */
public final class TeacherFeatures implements AutoCloseable {
    private final FeatureFile file;
    private final ImageSource source;
    private final Path temporary;

    private TeacherFeatures(FeatureFile file, ImageSource source, Path temporary) {
        this.file = file;
        this.source = source;
        this.temporary = temporary;
    }

    /**
     * Reads the cached features and computes the missing ones.
     *
     * @param teacher the teacher
     * @param source the images; the caller closes it after the features
     * @param folder folder of the file; null for a temporary file, which is deleted on closing
     * @param progress reports the number of finished images
     * @return the features, which the caller closes
     * @throws IOException if the file cannot be read or written
     * @throws InterruptedIOException if the thread was interrupted; finished features are kept
     */
    public static TeacherFeatures of(Teacher teacher, ImageSource source, Path folder, Progress progress)
            throws IOException {
        String key = key(teacher, source);
        Path temporary = folder == null ? Files.createTempFile("simclr-teacher", ".features") : null;
        Path path = folder == null ? temporary : folder.resolve(key.substring(0, 32) + ".features");
        TeacherFeatures features = null;
        try {
            features = new TeacherFeatures(
                    new FeatureFile(path, key, source.size(), teacher.dimension()), source, temporary);
            features.complete(teacher, folder == null ? null : path, progress);
            return features;
        } catch (IOException | RuntimeException e) {
            if (features != null) {
                features.close();
            } else if (temporary != null) {
                Files.deleteIfExists(temporary);
            }
            throw e;
        }
    }

    private static String key(Teacher teacher, ImageSource source) throws IOException {
        String text = String.join(
                "\n",
                teacher.sha256(),
                teacher.settings(),
                teacher.provider(),
                teacher.usesWinograd() ? "winograd" : "direct",
                source.fingerprint(),
                "" + source.size());
        return Sha256.hex(text.getBytes(StandardCharsets.UTF_8));
    }

    private void complete(Teacher teacher, Path kept, Progress progress) throws IOException {
        int all = source.size();
        int from = file.whole();
        retry(teacher, file.unreadable(), progress);
        if (from == all) {
            progress.line("the teacher's features of " + all + " images are read from " + kept);
            return;
        }
        progress.start("features of the teacher", all);
        try {
            teacher.embed(source.only(IntStream.range(from, all).toArray()), features -> {
                check(features, file.whole());
                file.append(features);
                progress.at(file.whole(), "");
            });
        } catch (InterruptedIOException e) {
            throw (IOException) new InterruptedIOException("interrupted while the teacher's features were computed"
                            + (kept == null
                                    ? ""
                                    : "; " + file.whole() + " of " + all + " are saved in " + kept
                                            + ", and the next run with the same settings computes the rest"))
                    .initCause(e);
        } finally {
            progress.end();
        }
        if (kept != null) {
            progress.line("the teacher's features of " + all + " images are saved in " + kept);
        }
    }

    /** Computes the features of images that were unreadable in an earlier run, since a cause such as a lost connection passes. */
    private void retry(Teacher teacher, int[] unreadable, Progress progress) throws IOException {
        if (unreadable.length == 0) {
            return;
        }
        progress.start("features of images that were unreadable", unreadable.length);
        try {
            int[] done = {0};
            teacher.embed(source.only(unreadable), features -> {
                int image = unreadable[done[0]++];
                if (features != null) {
                    check(features, image);
                    file.replace(image, features);
                }
                progress.at(done[0], "");
            });
        } finally {
            progress.end();
        }
    }

    private void check(float[] features, int image) throws IOException {
        for (int i = 0; features != null && i < features.length; i++) {
            if (!Float.isFinite(features[i])) {
                throw new IOException("The teacher's features of " + source.name(image) + " are not finite: use another"
                        + " teacher, or the same one in a higher precision");
            }
        }
    }

    /**
     * Returns the features of an image.
     *
     * @param image index of the image in the source
     * @return the features, or null if the image was unreadable
     * @throws IOException if the file cannot be read
     */
    public float[] get(int image) throws IOException {
        return file.read(image);
    }

    /** Returns the file that contains the features, for messages. */
    public Path path() {
        return file.path();
    }

    /** Returns the name of an image for messages. */
    public String name(int image) {
        return source.name(image);
    }

    /** Closes the file, and deletes it if it is temporary. */
    @Override
    public void close() throws IOException {
        file.close();
        if (temporary != null) {
            Files.deleteIfExists(temporary);
        }
    }
}
