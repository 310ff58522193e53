package io.github.simclr4j.images;

import java.io.IOException;
import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.stream.Collectors;

/** The decoders that are on the class path, each known by {@link ImageDecoder#accepts}. */
final class Decoders {
    private static final List<ImageDecoder> ALL = ServiceLoader.load(ImageDecoder.class, ImageDecoder.class.getClassLoader())
            .stream().map(ServiceLoader.Provider::get).toList();
    private static final Set<String> ENDINGS =
            ALL.stream().flatMap(d -> d.endings().stream()).collect(Collectors.toUnmodifiableSet());

    private Decoders() {}

    /** Returns the endings of all formats that are read. */
    static Set<String> endings() {
        return ENDINGS;
    }

    /** Returns whether some decoder accepts a file, of which the first bytes are enough. */
    static boolean accept(byte[] first) {
        return ALL.stream().anyMatch(d -> d.accepts(first));
    }

    /**
     * Returns the decoder of a file.
     *
     * @throws IOException if no format is recognised; the message says what the file is, where that can be told, and what to do
     */
    static ImageDecoder of(byte[] file) throws IOException {
        for (ImageDecoder decoder : ALL) {
            if (decoder.accepts(file)) {
                return decoder;
            }
        }
        throw new IOException(OtherFiles.describe(file));
    }
}
