// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

/**
 * The columns of a table with the paths of images and their classes.
 *
 * @param path the column of paths. Null for the first of {@code path}, {@code image}, {@code file}, {@code file_name}, {@code filename},
 *     {@code filepath}, {@code file_path} and {@code image_path} that exists, or else the first column
 * @param label the column of classes. Null for {@code label} or {@code class}, if one exists
 * @since 0.1.0
 */
public record TableColumns(String path, String label) {
    /** Finds both columns by their names. */
    public static final TableColumns BY_NAME = new TableColumns(null, null);
}
