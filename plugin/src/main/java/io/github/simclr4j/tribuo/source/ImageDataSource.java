package io.github.simclr4j.tribuo.source;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.PreparedImage;
import io.github.simclr4j.tribuo.internal.ReadAhead;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.Function;
import org.tribuo.ConfigurableDataSource;
import org.tribuo.Example;
import org.tribuo.Output;
import org.tribuo.OutputFactory;
import org.tribuo.provenance.DataSourceProvenance;

/**
 * What the sources of image features have in common: images in order, a batch at a time, decoded ahead of the encoder.
 *
 * @param <T> the output type
 * @param <I> what stands for an image until it is read
 */
abstract class ImageDataSource<T extends Output<T>, I> implements ConfigurableDataSource<T> {

    @Config(mandatory = true, description = "What makes features of images.")
    ImageFeatureExtractor<T> extractor;

    @Config(description = "Images that are encoded together; while they are, the next so many are decoded.")
    int batchSize = 256;

    @Config(description = "What to do about an image that is missing or damaged: FAIL, SKIP or ZERO (features).")
    OnUnreadable onUnreadable;

    final Failures failures = new Failures();
    private DataSourceProvenance provenance;

    /** For OLCUT; the policy where none is configured. */
    ImageDataSource(OnUnreadable onUnreadable) {
        this.onUnreadable = onUnreadable;
    }

    /** The images, in order; called by each iteration, in its thread. */
    abstract Iterator<I> items();

    /** Reads an image; called by several threads at once. */
    abstract PreparedImage prepare(I item) throws IOException;

    /** What errors and reports call an image. */
    abstract String name(I item);

    /** An example of an image's features. */
    abstract Example<T> example(I item, double[] features);

    /** The provenance, from the data as they are. */
    abstract DataSourceProvenance describe();

    void checkBatchSize() {
        if (batchSize < 1) {
            throw new PropertyException("", "batchSize", "Expected at least 1, found " + batchSize);
        }
    }

    /**
     * The images that iterations so far left out or gave zeros, with the reason, in the order in which they were met. Keys are
     * the file's path, or the row or example with its number.
     */
    public Map<String, String> skipped() {
        return failures.reasons();
    }

    @Override
    public OutputFactory<T> getOutputFactory() {
        return extractor.getOutputFactory();
    }

    /** Reads all images once, for the hash of their content, when it is first called. */
    @Override
    public synchronized DataSourceProvenance getProvenance() {
        if (provenance == null) {
            provenance = describe();
        }
        return provenance;
    }

    /**
     * A new pass over the images, which are read anew.
     *
     * @throws java.io.UncheckedIOException from the iterator, for an unreadable image where the policy is to fail
     */
    @Override
    public Iterator<Example<T>> iterator() {
        ReadAhead<I, PreparedImage> batches = new ReadAhead<>(items(), batchSize, this::prepare);
        return new Iterator<>() {
            private Iterator<Example<T>> ready = Collections.emptyIterator();

            @Override
            public boolean hasNext() {
                while (!ready.hasNext() && batches.hasNext()) {
                    ready = examples(batches.next()).iterator();
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
        };
    }

    private List<Example<T>> examples(List<ReadAhead.Ready<I, PreparedImage>> batch) {
        List<String> names = batch.stream().map(r -> name(r.item())).toList();
        List<double[]> features = failures.encode(extractor, onUnreadable, batch, names);
        List<Example<T>> examples = new ArrayList<>();
        for (int i = 0; i < features.size(); i++) {
            if (features.get(i) != null) {
                examples.add(example(batch.get(i).item(), features.get(i)));
            }
        }
        return examples;
    }

    /** SHA-256 over a line an image, its name and the SHA-256 of its content, or a dash for one that can't be read. */
    static <I> String contentHash(Iterator<I> images, Function<I, String> name, ReadAhead.Task<I, byte[]> content) {
        ReadAhead<I, String> hashes = new ReadAhead<>(images, 256, image -> Sha256.hex(content.apply(image)));
        StringBuilder lines = new StringBuilder();
        while (hashes.hasNext()) {
            for (ReadAhead.Ready<I, String> image : hashes.next()) {
                lines.append(name.apply(image.item()).replace('\\', '/')).append(' ')
                        .append(image.failure() == null ? image.value() : "-").append('\n');
            }
        }
        return Sha256.hex(lines.toString().getBytes(StandardCharsets.UTF_8));
    }
}
