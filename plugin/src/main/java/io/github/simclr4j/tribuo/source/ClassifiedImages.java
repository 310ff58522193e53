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
 * What data sources on an {@link ImageSource} have in common: images in its order, each with an output that is made of the name
 * of its class.
 *
 * @param <T> the output type
 */
abstract class ClassifiedImages<T extends Output<T>> extends ImageDataSource<T, Integer> {
    private ImageSource source;
    /** The images that are given, by their numbers in the source. */
    private int[] images;

    /** For OLCUT; the policy where none is configured. */
    ClassifiedImages(OnUnreadable onUnreadable) {
        super(onUnreadable);
    }

    /**
     * Chooses the images that have a class.
     *
     * @param unlabelled whether the others are given too, with the unknown output
     * @return whether there are any
     */
    boolean use(ImageSource opened, boolean unlabelled) {
        source = opened;
        images = IntStream.range(0, opened.size()).filter(i -> unlabelled || opened.label(i).isPresent()).toArray();
        return images.length > 0;
    }

    /** What the images were opened from. */
    abstract Path origin();

    private Optional<String> className(int image) {
        return source.label(image).stream().mapToObj(source.classes()::get).findFirst();
    }

    /** The names of the classes that have images, in the order of the images. */
    public List<String> classNames() {
        Set<String> names = new LinkedHashSet<>();
        for (int i : images) {
            className(i).ifPresent(names::add);
        }
        return List.copyOf(names);
    }

    /** The number of images. */
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
            // Whoever reports it names the image.
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
        T output = className(image).map(getOutputFactory()::generateOutput).orElseGet(getOutputFactory()::getUnknownOutput);
        Example<T> example = new ArrayExample<>(output, extractor.featureNames(), features);
        example.setMetadataValue(Example.NAME, name(image));
        return example;
    }

    /** SHA-256 over the names, without what they were opened from, and the contents. */
    String contentHash() {
        return contentHash(items(), this::relativeName, image -> {
            Optional<byte[]> file = source.fileBytes(image);
            return file.isPresent() ? file.get() : source.read(image).rgb();
        });
    }

    /** A name that stays the same when the images are moved. */
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
