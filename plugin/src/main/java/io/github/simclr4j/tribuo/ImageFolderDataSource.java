package io.github.simclr4j.tribuo;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.PrimitiveProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.SkeletalConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.DateTimeProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.IntProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.github.simclr4j.onnx.Images;
import io.github.simclr4j.onnx.RgbImage;
import java.io.IOException;
import java.nio.file.Path;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Logger;
import org.tribuo.ConfigurableDataSource;
import org.tribuo.Example;
import org.tribuo.Output;
import org.tribuo.OutputFactory;
import org.tribuo.provenance.DataSourceProvenance;

/**
 * The images of a folder as examples, in the order of their paths; an image's output is the name of the sub-folder that it lies
 * in (the first below the folder). Each iteration decodes and extracts anew, a batch at a time. A file that is no whole image
 * is logged, counted and left out. The extractor stays the caller's to close.
 *
 * @param <T> the output type
 */
public final class ImageFolderDataSource<T extends Output<T>> implements ConfigurableDataSource<T> {
    private static final Logger logger = Logger.getLogger(ImageFolderDataSource.class.getName());

    @Config(mandatory = true, description = "Folder with one sub-folder a class.")
    private Path folder;

    @Config(mandatory = true, description = "What makes features of images.")
    private ImageFeatureExtractor<T> extractor;

    @Config(description = "Images that are decoded and encoded together.")
    private int batchSize = 256;

    private List<Path> files;
    private final Set<Path> skipped = Collections.newSetFromMap(new ConcurrentHashMap<>());

    /** For OLCUT. */
    private ImageFolderDataSource() {}

    /**
     * Lists the images of a folder.
     *
     * @param folder has one sub-folder a class
     * @param extractor makes features of images
     * @throws PropertyException if the folder can't be read or has no images in sub-folders
     */
    public ImageFolderDataSource(Path folder, ImageFeatureExtractor<T> extractor) {
        this.folder = folder;
        this.extractor = extractor;
        postConfig();
    }

    /** Used by the OLCUT configuration system, and should not be called by external code. */
    @Override
    public void postConfig() {
        if (batchSize < 1) {
            throw new PropertyException("", "batchSize", "Expected at least 1, found " + batchSize);
        }
        try {
            files = Images.find(folder).stream().filter(f -> depth(f) > 1).toList();
        } catch (IOException e) {
            throw new PropertyException(e, "", "folder", e.getMessage());
        }
        if (files.isEmpty()) {
            throw new PropertyException("", "folder",
                    "No images in sub-folders of " + folder + ": expected one sub-folder a class");
        }
    }

    private int depth(Path file) {
        return folder.relativize(file).getNameCount();
    }

    private String className(Path file) {
        return folder.relativize(file).getName(0).toString();
    }

    /** The names of the sub-folders that hold images, in order. */
    public List<String> classNames() {
        Set<String> names = new LinkedHashSet<>();
        files.forEach(f -> names.add(className(f)));
        return List.copyOf(names);
    }

    /** The number of image files. */
    public int size() {
        return files.size();
    }

    /** The files that iterations so far could not read. */
    public Set<Path> skipped() {
        return Set.copyOf(skipped);
    }

    @Override
    public OutputFactory<T> getOutputFactory() {
        return extractor.getOutputFactory();
    }

    @Override
    public Iterator<Example<T>> iterator() {
        return new Batches();
    }

    private final class Batches implements Iterator<Example<T>> {
        private int next;
        private Iterator<Example<T>> ready = Collections.emptyIterator();

        @Override
        public boolean hasNext() {
            while (!ready.hasNext() && next < files.size()) {
                int to = Math.min(files.size(), next + batchSize);
                ready = batch(files.subList(next, to)).iterator();
                next = to;
            }
            return ready.hasNext();
        }

        @Override
        public Example<T> next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            return ready.next();
        }
    }

    private List<Example<T>> batch(List<Path> paths) {
        RgbImage[] decoded = paths.parallelStream().map(this::decode).toArray(RgbImage[]::new);
        List<RgbImage> images = new ArrayList<>();
        List<T> outputs = new ArrayList<>();
        List<Path> good = new ArrayList<>();
        for (int i = 0; i < decoded.length; i++) {
            if (decoded[i] != null) {
                images.add(decoded[i]);
                outputs.add(getOutputFactory().generateOutput(className(paths.get(i))));
                good.add(paths.get(i));
            }
        }
        List<Example<T>> examples = extractor.extract(images, outputs);
        for (int i = 0; i < good.size(); i++) {
            examples.get(i).setMetadataValue(Example.NAME, good.get(i).toString());
        }
        return examples;
    }

    private RgbImage decode(Path file) {
        try {
            return Images.read(file);
        } catch (IOException e) {
            if (skipped.add(file)) {
                logger.warning("Skipped " + e.getMessage());
            }
            return null;
        }
    }

    @Override
    public String toString() {
        return "ImageFolderDataSource(folder=" + folder + ",images=" + files.size() + ")";
    }

    @Override
    public DataSourceProvenance getProvenance() {
        return new FolderProvenance(this);
    }

    /** Which folder, how many files, when, and the SHA-256 over their names and sizes. */
    public static final class FolderProvenance extends SkeletalConfiguredObjectProvenance implements DataSourceProvenance {
        private static final long serialVersionUID = 1L;
        /** Number of image files. */
        public static final String FILES = "files";
        /** SHA-256 over relative paths and sizes. */
        public static final String LISTING_HASH = "listing-sha256";

        private final DateTimeProvenance created;
        private final IntProvenance files;
        private final StringProvenance hash;

        <T extends Output<T>> FolderProvenance(ImageFolderDataSource<T> host) {
            super(host, "DataSource");
            created = new DateTimeProvenance(DATASOURCE_CREATION_TIME, OffsetDateTime.now());
            files = new IntProvenance(FILES, host.files.size());
            StringBuilder listing = new StringBuilder();
            for (Path f : host.files) {
                listing.append(host.folder.relativize(f)).append(' ').append(f.toFile().length()).append('\n');
            }
            hash = new StringProvenance(LISTING_HASH, io.github.simclr4j.onnx.OnnxEncoder.sha256(
                    listing.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8)));
        }

        /**
         * Deserialization constructor.
         *
         * @param map the provenances
         */
        public FolderProvenance(Map<String, Provenance> map) {
            this(extract(map));
        }

        private FolderProvenance(ExtractedInfo info) {
            super(info);
            created = (DateTimeProvenance) info.instanceValues.get(DATASOURCE_CREATION_TIME);
            files = (IntProvenance) info.instanceValues.get(FILES);
            hash = (StringProvenance) info.instanceValues.get(LISTING_HASH);
        }

        private static ExtractedInfo extract(Map<String, Provenance> map) {
            Map<String, Provenance> configured = new HashMap<>(map);
            String type = FolderProvenance.class.getSimpleName();
            String className = ObjectProvenance.checkAndExtractProvenance(
                    configured, CLASS_NAME, StringProvenance.class, type).getValue();
            String hostName = ObjectProvenance.checkAndExtractProvenance(
                    configured, HOST_SHORT_NAME, StringProvenance.class, type).getValue();
            Map<String, PrimitiveProvenance<?>> instance = new HashMap<>();
            instance.put(DATASOURCE_CREATION_TIME, ObjectProvenance.checkAndExtractProvenance(
                    configured, DATASOURCE_CREATION_TIME, DateTimeProvenance.class, type));
            instance.put(FILES, ObjectProvenance.checkAndExtractProvenance(configured, FILES, IntProvenance.class, type));
            instance.put(LISTING_HASH, ObjectProvenance.checkAndExtractProvenance(
                    configured, LISTING_HASH, StringProvenance.class, type));
            return new ExtractedInfo(className, hostName, configured, instance);
        }

        @Override
        public Map<String, PrimitiveProvenance<?>> getInstanceValues() {
            Map<String, PrimitiveProvenance<?>> map = super.getInstanceValues();
            map.put(created.getKey(), created);
            map.put(files.getKey(), files);
            map.put(hash.getKey(), hash);
            return map;
        }
    }
}
