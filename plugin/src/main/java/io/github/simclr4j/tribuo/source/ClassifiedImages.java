// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.source;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.images.source.Unreadable;
import io.github.simclr4j.tribuo.extraction.PreparedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.tribuo.Example;
import org.tribuo.Output;
import org.tribuo.impl.ArrayExample;

/**
 * The base class of data sources that read an {@link ImageSource}. It yields the images in the source's order; the output of each
 * is made from the name of its class.
 *
 * @param <T> the output type
 */
abstract class ClassifiedImages<T extends Output<T>> extends ImageDataSource<T, Integer> {
    private ImageSource source;
    /** Indices, in the source, of the images that become examples. */
    private int[] images;

    /** Required by OLCUT; the argument is the policy used when none is configured. */
    ClassifiedImages(OnUnreadable onUnreadable) {
        super(onUnreadable);
    }

    /**
     * Selects the images that have a class.
     *
     * @param unlabelled whether to include the other images, with the unknown output
     * @return whether any image was selected
     */
    boolean use(ImageSource opened, boolean unlabelled) {
        source = opened;
        images = IntStream.range(0, opened.size())
                .filter(i -> unlabelled || opened.label(i).isPresent())
                .toArray();
        return images.length > 0;
    }

    /** Returns the folder or file that the images were opened from. */
    abstract Path origin();

    private Optional<String> className(int image) {
        return source.label(image).stream().mapToObj(source.classes()::get).findFirst();
    }

    /**
     * Returns the names of the classes that have images.
     *
     * @return the names, in the order in which the images first have them
     */
    public List<String> classNames() {
        Set<String> names = new LinkedHashSet<>();
        for (int i : images) {
            className(i).ifPresent(names::add);
        }
        return List.copyOf(names);
    }

    /**
     * Returns the number of images.
     *
     * @return the number of images, including those that turn out to be unreadable
     */
    public int size() {
        return images.length;
    }

    @Override
    Iterator<Integer> items() {
        return IntStream.of(images).iterator();
    }

    @Override
    PreparedImage prepare(Integer image) throws IOException {
        Optional<byte[]> file;
        try {
            file = source.fileBytes(image);
            if (file.isEmpty()) {
                return extractor.prepare(source.read(image));
            }
        } catch (IOException e) {
            // The caller that reports this adds the image's name.
            throw new IOException(Unreadable.of(source, image, e).reason(), e);
        }
        return extractor.prepare(file.get());
    }

    @Override
    String name(Integer image) {
        return source.name(image);
    }

    @Override
    Example<T> example(Integer image, double[] features) {
        T output = className(image)
                .map(getOutputFactory()::generateOutput)
                .orElseGet(getOutputFactory()::getUnknownOutput);
        Example<T> example = new ArrayExample<>(output, extractor.featureNames(), features);
        example.setMetadataValue(Example.NAME, name(image));
        return example;
    }

    /** Returns the SHA-256 of the images' contents and their names relative to the origin. */
    String contentHash() {
        return contentHash(items(), this::relativeName, image -> {
            Optional<byte[]> file = source.fileBytes(image);
            return file.isPresent() ? file.get() : source.read(image).rgb();
        });
    }

    /** Returns a name that stays the same when the images are moved. */
    private String relativeName(int image) {
        String name = name(image);
        Path parent = origin().getParent();
        for (String prefix : new String[] {origin().toString(), parent == null ? "" : parent.toString()}) {
            if (name.startsWith(prefix) && name.length() > prefix.length()) {
                String separator = origin().getFileSystem().getSeparator();
                String rest = name.substring(prefix.length());
                return rest.startsWith(separator) ? rest.substring(separator.length()) : rest;
            }
        }
        return name;
    }
}
