// SPDX-License-Identifier: Apache-2.0
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
 * The base class of data sources of image features. It yields the images in order and decodes the next batch while the encoder
 * works on the current one.
 *
 * @param <T> the output type
 * @param <I> what identifies an image until it is read
 */
abstract class ImageDataSource<T extends Output<T>, I> implements ConfigurableDataSource<T> {

    @Config(mandatory = true, description = "The extractor that turns images into features.")
    ImageFeatureExtractor<T> extractor;

    @Config(description = "Number of images that are encoded together. The next batch is decoded meanwhile.")
    int batchSize = 256;

    @Config(description = "What to do with a missing or damaged image: FAIL, SKIP or ZERO (all features are 0).")
    OnUnreadable onUnreadable;

    final Failures failures = new Failures();
    private DataSourceProvenance provenance;

    /** Required by OLCUT; the argument is the policy used when none is configured. */
    ImageDataSource(OnUnreadable onUnreadable) {
        this.onUnreadable = onUnreadable;
    }

    /** Returns the images in order. Each iteration calls this once, in its own thread. */
    abstract Iterator<I> items();

    /** Reads and preprocesses an image. Called by several threads at once. */
    abstract PreparedImage prepare(I item) throws IOException;

    /** Returns the name of an image in messages and reports. */
    abstract String name(I item);

    /** Makes an example from an image's features. */
    abstract Example<T> example(I item, double[] features);

    /** Computes the provenance from the present state of the data. */
    abstract DataSourceProvenance describe();

    void checkBatchSize() {
        if (batchSize < 1) {
            throw new PropertyException("", "batchSize", "Expected at least 1, found " + batchSize);
        }
    }

    /**
     * Returns the images that could not be read in the iterations so far, with the reasons.
     *
     * @return the reasons, in the order in which the images were met; the keys are file paths, or numbered rows or examples
     */
    public Map<String, String> skipped() {
        return failures.reasons();
    }

    @Override
    public OutputFactory<T> getOutputFactory() {
        return extractor.getOutputFactory();
    }

    /** Returns the provenance. The first call reads all images to hash their content. */
    @Override
    public synchronized DataSourceProvenance getProvenance() {
        if (provenance == null) {
            provenance = describe();
        }
        return provenance;
    }

    /**
     * Starts a new pass, which reads all images again.
     *
     * @return the examples; the iterator throws {@link java.io.UncheckedIOException} for an unreadable image if the policy is
     *     {@link OnUnreadable#FAIL}
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

    /** Returns the SHA-256 of a text with one line per image: its name and the SHA-256 of its content, or a dash if unreadable. */
    static <I> String contentHash(Iterator<I> images, Function<I, String> name, ReadAhead.Task<I, byte[]> content) {
        ReadAhead<I, String> hashes = new ReadAhead<>(images, 256, image -> Sha256.hex(content.apply(image)));
        StringBuilder lines = new StringBuilder();
        while (hashes.hasNext()) {
            for (ReadAhead.Ready<I, String> image : hashes.next()) {
                lines.append(name.apply(image.item()).replace('\\', '/'))
                        .append(' ')
                        .append(image.failure() == null ? image.value() : "-")
                        .append('\n');
            }
        }
        return Sha256.hex(lines.toString().getBytes(StandardCharsets.UTF_8));
    }
}
