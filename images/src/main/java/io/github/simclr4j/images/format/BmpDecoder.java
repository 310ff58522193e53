package io.github.simclr4j.images.format;

import io.github.simclr4j.images.ImageDecoder;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import java.io.IOException;
import java.util.List;

/** Decodes BMP files with the decoder of the JDK. */
public final class BmpDecoder implements ImageDecoder {
    @Override
    public String format() {
        return "BMP";
    }

    @Override
    public List<String> endings() {
        return List.of(".bmp", ".dib");
    }

    @Override
    public boolean accepts(byte[] file) {
        return Signatures.at(file, 0, 'B', 'M');
    }

    @Override
    public RgbImage decode(byte[] file, SizeCheck size) throws IOException {
        return JdkReaders.read("bmp", file, size);
    }
}
