// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.source;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.github.simclr4j.tribuo.extraction.FeatureCache;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.PreparedImage;
import io.github.simclr4j.tribuo.internal.ReadAhead;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tribuo.data.columnar.ColumnarFeature;
import org.tribuo.data.columnar.FieldProcessor;

/**
 * Processes an image column of a Tribuo {@link org.tribuo.data.columnar.RowProcessor}, so that CSV, JSON and SQL sources yield image
 * features beside those of text, numbers and categories. The features are named {@code column@h000} and so on, in numeric order.
 *
 * <p>A cell contains a path, a URI, or the image file itself in base64 or hexadecimal digits; see {@link ImageEncoding}. An SQL
 * query must convert binary columns to one of these, since Tribuo reads every value as text.
 *
 * <p>Tribuo processes one row at a time, so the encoder runs on one image at a time. Wrap the source in a
 * {@link ReadAheadDataSource} to encode in batches. A {@link FeatureCache} avoids encoding the same image twice.
 *
 * <p>Thread-safe. The caller closes the extractor.
 *
 * @since 0.1.0
 */
public class ImageFieldProcessor implements FieldProcessor {

    @Config(mandatory = true, description = "The field name to read.")
    private String fieldName;

    @Config(mandatory = true, description = "The extractor that turns images into features.")
    private ImageFeatureExtractor<?> extractor;

    @Config(description = "How the column stores images: FILE (a path or URI), BASE64 or HEX.")
    private ImageEncoding encoding = ImageEncoding.FILE;

    @Config(description = "The folder that relative paths are resolved against. Default: the working directory.")
    private Path folder;

    @Config(description = "What to do with a missing or damaged image: FAIL, SKIP (no image features) or ZERO.")
    private OnUnreadable onUnreadable = OnUnreadable.FAIL;

    /** Shared with copies, which differ only in the name of the column. */
    private State state = new State();

    private static final class State {
        final Failures failures = new Failures();
        /** Features computed ahead for this thread's current row, by column and cell; each is used once. */
        final ThreadLocal<Map<Cell, double[]>> ahead = ThreadLocal.withInitial(HashMap::new);
    }

    private record Cell(String column, String text) {}

    /** Required by OLCUT. */
    protected ImageFieldProcessor() {}

    /**
     * Processes a column of paths or URIs. An unreadable image is an error.
     *
     * @param fieldName the name of the column
     * @param extractor the extractor that encodes the images
     * @param folder the folder that relative paths are resolved against, usually the table's; null for the working directory
     */
    public ImageFieldProcessor(String fieldName, ImageFeatureExtractor<?> extractor, Path folder) {
        this(fieldName, extractor, folder, ImageEncoding.FILE, OnUnreadable.FAIL);
    }

    /**
     * Processes a column of images.
     *
     * @param fieldName the name of the column
     * @param extractor the extractor that encodes the images
     * @param folder the folder that relative paths are resolved against, usually the table's; null for the working directory
     * @param encoding how the column stores images
     * @param onUnreadable what to do with a missing or damaged image. With {@code SKIP} the row gets no image features; Tribuo
     *     leaves the row out if it has no other features
     */
    public ImageFieldProcessor(
            String fieldName,
            ImageFeatureExtractor<?> extractor,
            Path folder,
            ImageEncoding encoding,
            OnUnreadable onUnreadable) {
        this.fieldName = fieldName;
        this.extractor = extractor;
        this.folder = folder;
        this.encoding = encoding;
        this.onUnreadable = onUnreadable;
        postConfig();
    }

    /** Used by the OLCUT configuration system, and should not be called by external code. */
    @Override
    public void postConfig() {
        for (String name : extractor.featureNames()) {
            if (name.contains(ColumnarFeature.JOINER) || name.contains(NAMESPACE)) {
                throw new PropertyException(
                        "",
                        "extractor",
                        "Expected feature names without " + ColumnarFeature.JOINER + " and " + NAMESPACE + ", found "
                                + name);
            }
        }
    }

    @Override
    public String getFieldName() {
        return fieldName;
    }

    /**
     * Returns all features of a cell's image, including those that are 0.
     *
     * @throws java.io.UncheckedIOException if the image can't be read and the policy is {@link OnUnreadable#FAIL}; the message
     *     names the column and the cell
     * @throws IllegalStateException if the extractor is closed
     */
    @Override
    public List<ColumnarFeature> process(String value) {
        String cell = normal(value);
        double[] features = state.ahead.get().remove(new Cell(fieldName, cell));
        if (features == null) {
            features = state.failures
                    .encode(
                            extractor,
                            onUnreadable,
                            List.of(ready(cell)),
                            List.of("column " + fieldName + " = " + ImageEncoding.shown(cell)))
                    .get(0);
        }
        if (features == null) {
            return List.of();
        }
        String[] names = extractor.featureNames();
        List<ColumnarFeature> list = new ArrayList<>(names.length);
        for (int i = 0; i < names.length; i++) {
            list.add(new ColumnarFeature(fieldName, names[i], features[i]));
        }
        return list;
    }

    /** Reads a cell's image. Called by several threads at once. */
    ReadAhead.Ready<String, PreparedImage> ready(String cell) {
        try {
            return new ReadAhead.Ready<>(cell, extractor.prepare(encoding.bytes(cell, folder)), null);
        } catch (IOException e) {
            return new ReadAhead.Ready<>(cell, null, e);
        }
    }

    /** Normalises a value as RowProcessor does before it calls {@link #process}. */
    static String normal(String value) {
        return value.replace('\n', ' ').strip();
    }

    /** Encodes images of several rows together. */
    double[][] encode(List<PreparedImage> images) {
        return extractor.encode(images);
    }

    /** Sets the features that {@link #process} returns for a cell of the next row on this thread. */
    void expect(String cell, double[] features) {
        state.ahead.get().put(new Cell(fieldName, cell), features);
    }

    /** Discards the features set for this thread's last row. */
    void forget() {
        state.ahead.remove();
    }

    /**
     * Returns the images that could not be read so far, in this column and the columns of its copies.
     *
     * @return the reasons by column and cell, in the order in which the images were met
     */
    public Map<String, String> skipped() {
        return state.failures.reasons();
    }

    @Override
    public GeneratedFeatureType getFeatureType() {
        return GeneratedFeatureType.REAL;
    }

    /** Returns a copy for another column, which shares the extractor and the record of unreadable images. */
    @Override
    public ImageFieldProcessor copy(String newFieldName) {
        ImageFieldProcessor copy = new ImageFieldProcessor(newFieldName, extractor, folder, encoding, onUnreadable);
        copy.state = state;
        return copy;
    }

    @Override
    public String toString() {
        return "ImageFieldProcessor(fieldName=" + fieldName + ",encoding=" + encoding + ",extractor=" + extractor + ")";
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "FieldProcessor");
    }
}
