package io.github.simclr4j.images.format;

import java.io.IOException;
import java.util.Arrays;
import java.util.Iterator;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import javax.imageio.ImageReader;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;

/** The decoders of the JDK, whatever else is on the class path, so that pixels are the same everywhere. */
final class JdkReaders {
    private static final ConcurrentMap<String, ImageReaderSpi> FOUND = new ConcurrentHashMap<>();

    private JdkReaders() {}

    /**
     * Returns a new decoder, which the caller disposes of.
     *
     * @param format {@code jpeg} or {@code tiff}
     */
    static ImageReader create(String format) throws IOException {
        return FOUND.computeIfAbsent(format, f -> find(f, "com.sun.imageio.")).createReaderInstance();
    }

    static ImageReaderSpi find(String format, String owner) {
        Iterator<ImageReaderSpi> all = IIORegistry.getDefaultInstance().getServiceProviders(ImageReaderSpi.class, true);
        while (all.hasNext()) {
            ImageReaderSpi spi = all.next();
            if (spi.getClass().getName().startsWith(owner)
                    && Arrays.stream(spi.getFormatNames()).anyMatch(n -> n.equalsIgnoreCase(format))) {
                return spi;
            }
        }
        throw new IllegalStateException("no decoder for " + format + " (expected one of " + owner + "*)");
    }
}
