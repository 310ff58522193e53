// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images;

import java.io.IOException;
import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.stream.Collectors;

/** Finds the decoders on the class path, and the decoder of a file. */
final class Decoders {
    private static final List<ImageDecoder> ALL =
            ServiceLoader.load(ImageDecoder.class, ImageDecoder.class.getClassLoader()).stream()
                    .map(ServiceLoader.Provider::get)
                    .toList();
    private static final Set<String> ENDINGS =
            ALL.stream().flatMap(d -> d.endings().stream()).collect(Collectors.toUnmodifiableSet());

    private Decoders() {}

    /** Returns the file name extensions of all supported formats. */
    static Set<String> endings() {
        return ENDINGS;
    }

    /** Returns whether any decoder accepts a file, given its first bytes. */
    static boolean accept(byte[] first) {
        return ALL.stream().anyMatch(d -> d.accepts(first));
    }

    /**
     * Returns the decoder of a file.
     *
     * @throws IOException if no decoder accepts the file; the message says what kind of file it is, if possible, and the remedy
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
