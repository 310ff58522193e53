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
 * A column of images in a Tribuo {@link org.tribuo.data.columnar.RowProcessor}, beside columns of text, numbers and categories,
 * so that CSV, JSON and SQL sources give image features. They are named {@code column@h000} and so on, in numeric order.
 *
 * <p>A cell holds a path, a URI, or the image file itself in base64 or hexadecimal digits; see {@link ImageEncoding}. SQL
 * columns of bytes have to be written as either by the query, since Tribuo reads every value as text.
 *
 * <p>Tribuo processes row by row, so the encoder runs an image at a time. {@link ReadAheadDataSource} around the source makes
 * that batches; a {@link FeatureCache} spares what was seen before.
 *
 * <p>May be used by several threads at once. The extractor stays the caller's to close.
 */
public class ImageFieldProcessor implements FieldProcessor {

    @Config(mandatory = true, description = "The field name to read.")
    private String fieldName;

    @Config(mandatory = true, description = "What makes features of images.")
    private ImageFeatureExtractor<?> extractor;

    @Config(description = "How the column holds images: FILE (a path or URI), BASE64 or HEX.")
    private ImageEncoding encoding = ImageEncoding.FILE;

    @Config(description = "What relative paths are relative to; by default the working directory.")
    private Path folder;

    @Config(description = "What to do about an image that is missing or damaged: FAIL, SKIP (no image features) or ZERO.")
    private OnUnreadable onUnreadable = OnUnreadable.FAIL;

    /** Shared with copies, which differ by the name of the column alone. */
    private State state = new State();

    private static final class State {
        final Failures failures = new Failures();
        /** Features for this thread's present row, by column and cell; each is taken once. */
        final ThreadLocal<Map<Cell, double[]>> ahead = ThreadLocal.withInitial(HashMap::new);
    }

    private record Cell(String column, String text) {}

    /** For OLCUT. */
    protected ImageFieldProcessor() {}

    /**
     * A column of paths or URIs; an unreadable image is an error.
     *
     * @param fieldName the column
     * @param extractor makes features of images
     * @param folder what relative paths are relative to, mostly the folder of the table; null for the working directory
     */
    public ImageFieldProcessor(String fieldName, ImageFeatureExtractor<?> extractor, Path folder) {
        this(fieldName, extractor, folder, ImageEncoding.FILE, OnUnreadable.FAIL);
    }

    /**
     * A column of images.
     *
     * @param fieldName the column
     * @param extractor makes features of images
     * @param folder what relative paths are relative to, mostly the folder of the table; null for the working directory
     * @param encoding how the column holds images
     * @param onUnreadable what to do about an image that is missing or damaged. {@code SKIP} gives the row no image features;
     *     it keeps the others, and Tribuo leaves it out if there are none
     */
    public ImageFieldProcessor(String fieldName, ImageFeatureExtractor<?> extractor, Path folder, ImageEncoding encoding,
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
                throw new PropertyException("", "extractor",
                        "Expected feature names without " + ColumnarFeature.JOINER + " and " + NAMESPACE + ", found " + name);
            }
        }
    }

    @Override
    public String getFieldName() {
        return fieldName;
    }

    /**
     * The features of a cell's image, all of them, zeros included.
     *
     * @throws java.io.UncheckedIOException if there is no readable image, where the policy is to fail; the message names the
     *     column and the cell
     * @throws IllegalStateException if the extractor is closed
     */
    @Override
    public List<ColumnarFeature> process(String value) {
        String cell = normal(value);
        double[] features = state.ahead.get().remove(new Cell(fieldName, cell));
        if (features == null) {
            features = state.failures.encode(extractor, onUnreadable, List.of(ready(cell)),
                    List.of("column " + fieldName + " = " + ImageEncoding.shown(cell))).get(0);
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

    /** Reads a cell's image; called by several threads at once. */
    ReadAhead.Ready<String, PreparedImage> ready(String cell) {
        try {
            return new ReadAhead.Ready<>(cell, extractor.prepare(encoding.bytes(cell, folder)), null);
        } catch (IOException e) {
            return new ReadAhead.Ready<>(cell, null, e);
        }
    }

    /** As RowProcessor passes it on. */
    static String normal(String value) {
        return value.replace('\n', ' ').strip();
    }

    /** Encodes images of several rows together. */
    double[][] encode(List<PreparedImage> images) {
        return extractor.encode(images);
    }

    /** What {@link #process} is to give for a cell of the row that comes next on this thread. */
    void expect(String cell, double[] features) {
        state.ahead.get().put(new Cell(fieldName, cell), features);
    }

    /** The row that came is done. */
    void forget() {
        state.ahead.remove();
    }

    /** The images that could not be read so far, in this column and those of copies, with the reason. */
    public Map<String, String> skipped() {
        return state.failures.reasons();
    }

    @Override
    public GeneratedFeatureType getFeatureType() {
        return GeneratedFeatureType.REAL;
    }

    /** The copy shares the extractor and the count of unreadable images. */
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
