// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;
import java.util.Iterator;
import javax.imageio.ImageReader;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;

/** Creates the JDK's JPEG decoder, even if others are on the class path, so that pixels are the same everywhere. */
final class JdkJpegReader {
    private static final ImageReaderSpi PROVIDER = find();

    private JdkJpegReader() {}

    /** Returns a new decoder. The caller disposes of it. */
    static ImageReader create() throws IOException {
        return PROVIDER.createReaderInstance();
    }

    private static ImageReaderSpi find() {
        Iterator<ImageReaderSpi> all = IIORegistry.getDefaultInstance().getServiceProviders(ImageReaderSpi.class, true);
        while (all.hasNext()) {
            ImageReaderSpi provider = all.next();
            if (provider.getClass().getName().startsWith("com.sun.imageio.plugins.jpeg.")) {
                return provider;
            }
        }
        throw new IllegalStateException(
                "This Java has no JPEG decoder, because its module java.desktop is incomplete: install a complete JDK or JRE");
    }
}
