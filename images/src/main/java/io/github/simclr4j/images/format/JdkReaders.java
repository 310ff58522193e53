package io.github.simclr4j.images.format;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import java.io.IOException;
import java.util.Arrays;
import java.util.Iterator;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import javax.imageio.ImageReader;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;
import javax.imageio.stream.ImageInputStream;

/** The decoders of the JDK, whatever else is on the class path, so that pixels are the same everywhere. */
final class JdkReaders {
    private static final ConcurrentMap<String, ImageReaderSpi> FOUND = new ConcurrentHashMap<>();

    private JdkReaders() {}

    /**
     * Returns a new decoder, which the caller disposes of.
     *
     * @param format {@code jpeg}, {@code png}, {@code bmp}, {@code gif} or {@code tiff}
     */
    static ImageReader create(String format) throws IOException {
        return FOUND.computeIfAbsent(format, f -> find(f, "com.sun.imageio.")).createReaderInstance();
    }

    /** Decodes the first image with a decoder that needs no help. */
    static RgbImage read(String format, byte[] file, SizeCheck size) throws IOException {
        ImageReader reader = create(format);
        try (ImageInputStream in = new ByteArrayImageInputStream(file)) {
            reader.setInput(in, true, true);
            size.check(reader.getWidth(0), reader.getHeight(0));
            return Images.of(reader.read(0));
        } finally {
            reader.dispose();
        }
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
