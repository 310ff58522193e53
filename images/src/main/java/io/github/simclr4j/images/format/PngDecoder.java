package io.github.simclr4j.images.format;

import io.github.simclr4j.images.ImageDecoder;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import java.io.IOException;
import java.util.List;

/** Decodes PNG files with the decoder of the JDK. */
public final class PngDecoder implements ImageDecoder {
    @Override
    public String format() {
        return "PNG";
    }

    @Override
    public List<String> endings() {
        return List.of(".png", ".apng");
    }

    @Override
    public boolean accepts(byte[] file) {
        return Signatures.at(file, 0, 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n');
    }

    @Override
    public RgbImage decode(byte[] file, SizeCheck size) throws IOException {
        return JdkReaders.read("png", file, size);
    }

    @Override
    public int orientation(byte[] file) {
        return PngOrientation.of(file);
    }
}
