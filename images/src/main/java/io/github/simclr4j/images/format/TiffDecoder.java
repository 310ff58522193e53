package io.github.simclr4j.images.format;

import io.github.simclr4j.images.ImageDecoder;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import java.io.IOException;
import java.util.List;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/** Decodes TIFF files with the decoder of the JDK. */
public final class TiffDecoder implements ImageDecoder {
    @Override
    public String format() {
        return "TIFF";
    }

    @Override
    public List<String> endings() {
        return List.of(".tif", ".tiff");
    }

    @Override
    public boolean accepts(byte[] file) {
        return Signatures.at(file, 0, 'I', 'I', 42, 0) || Signatures.at(file, 0, 'M', 'M', 0, 42);
    }

    @Override
    public RgbImage decode(byte[] file, SizeCheck size) throws IOException {
        ImageReader reader = JdkReaders.create("tiff");
        try (ImageInputStream in = new ByteArrayImageInputStream(file)) {
            reader.setInput(in, true, true);
            // A tile may be larger than the image that it is cut to.
            size.check(Math.max(reader.getWidth(0), reader.getTileWidth(0)), Math.max(reader.getHeight(0), reader.getTileHeight(0)));
            return Images.of(reader.read(0));
        } finally {
            reader.dispose();
        }
    }

    @Override
    public int orientation(byte[] file) {
        return Exif.orientation(file, 0, file.length);
    }
}
