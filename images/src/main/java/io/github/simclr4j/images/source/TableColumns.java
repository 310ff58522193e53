package io.github.simclr4j.images.source;

/**
 * Which columns of a table hold the paths of images and their classes.
 *
 * @param path the column of paths; null for one that is called {@code path}, {@code image}, {@code file}, {@code file_name},
 *     {@code filename}, {@code filepath}, {@code file_path} or {@code image_path}, the first of these that there is, or else
 *     the first column
 * @param label the column of classes; null for {@code label} or {@code class}, if there is one
 */
public record TableColumns(String path, String label) {
    /** The columns that are found by their names. */
    public static final TableColumns BY_NAME = new TableColumns(null, null);
}
