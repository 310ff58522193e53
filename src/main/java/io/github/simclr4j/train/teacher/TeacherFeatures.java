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
 * A teacher's features of each image of a source, computed once and kept in a file, which is named after what they are of: the
 * teacher's content and settings, and the {@linkplain ImageSource#fingerprint fingerprint} of the images. What was interrupted is
 * continued. Only the rows that are asked for are in memory. One thread uses it at a time.
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
     * Reads the features that are there, and computes the others.
     *
     * @param source of the images; it stays the caller's to close, after the features
     * @param folder of the files; null for a temporary file, which is deleted on closing
     * @param progress told how many are done
     * @return the caller's to close
     * @throws IOException if the file can't be read or written
     * @throws InterruptedIOException if the thread was interrupted; what was computed is kept
     */
    public static TeacherFeatures of(Teacher teacher, ImageSource source, Path folder, Progress progress) throws IOException {
        String key = key(teacher, source);
        Path temporary = folder == null ? Files.createTempFile("simclr-teacher", ".features") : null;
        Path path = folder == null ? temporary : folder.resolve(key.substring(0, 32) + ".features");
        TeacherFeatures features = null;
        try {
            features = new TeacherFeatures(new FeatureFile(path, key, source.size(), teacher.dimension()), source, temporary);
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
        String text = String.join("\n", teacher.sha256(), teacher.settings(), teacher.provider(), source.fingerprint(),
                "" + source.size());
        return Sha256.hex(text.getBytes(StandardCharsets.UTF_8));
    }

    private void complete(Teacher teacher, Path kept, Progress progress) throws IOException {
        int all = source.size();
        int from = file.whole();
        if (from == all) {
            progress.line("the teacher's features of " + all + " images are in " + kept);
            return;
        }
        progress.start("teacher", all);
        try {
            teacher.embed(source.only(IntStream.range(from, all).toArray()), features -> {
                check(features);
                file.append(features);
                progress.at(file.whole(), "");
            });
        } catch (InterruptedIOException e) {
            throw (IOException) new InterruptedIOException("interrupted while the teacher's features were computed"
                    + (kept == null ? "" : "; " + file.whole() + " of " + all + " are in " + kept
                    + ", and the next run with the same settings computes the others")).initCause(e);
        } finally {
            progress.end();
        }
        if (kept != null) {
            progress.line("the teacher's features of " + all + " images are kept in " + kept);
        }
    }

    private void check(float[] features) throws IOException {
        for (int i = 0; features != null && i < features.length; i++) {
            if (!Float.isFinite(features[i])) {
                throw new IOException("The teacher's features of " + source.name(file.whole()) + " are not finite: choose another"
                        + " teacher, or another precision of it");
            }
        }
    }

    /**
     * Returns the features of an image.
     *
     * @param image its number in the source
     * @return null if it could not be read
     * @throws IOException if the file can't be read
     */
    public float[] get(int image) throws IOException {
        return file.read(image);
    }

    /** Returns what an error calls an image. */
    public String name(int image) {
        return source.name(image);
    }

    /** Gives the file back, and deletes it if it is a temporary one. */
    @Override
    public void close() throws IOException {
        file.close();
        if (temporary != null) {
            Files.deleteIfExists(temporary);
        }
    }
}
