package io.github.simclr4j.images.format;

import io.github.simclr4j.images.ImageDecoder;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import javax.imageio.ImageReader;
import javax.imageio.spi.ImageReaderSpi;
import javax.imageio.stream.ImageInputStream;

/** Decodes WebP files with the decoder of TwelveMonkeys. */
public final class WebPDecoder implements ImageDecoder {
    private static final ImageReaderSpi READER = JdkReaders.find("webp", "com.twelvemonkeys.");

    @Override
    public String format() {
        return "WebP";
    }

    @Override
    public List<String> endings() {
        return List.of(".webp");
    }

    @Override
    public boolean accepts(byte[] file) {
        return Signatures.at(file, 0, 'R', 'I', 'F', 'F') && Signatures.at(file, 8, 'W', 'E', 'B', 'P');
    }

    @Override
    public RgbImage decode(byte[] file, SizeCheck size) throws IOException {
        ImageReader reader = READER.createReaderInstance();
        try (ImageInputStream in = new ByteArrayImageInputStream(file)) {
            reader.setInput(in, true, true);
            size.check(reader.getWidth(0), reader.getHeight(0));
            return Images.of(reader.read(0));
        } finally {
            reader.dispose();
        }
    }

    @Override
    public int orientation(byte[] file) {
        ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        int exif = Exif.NONE;
        int xmp = Exif.NONE;
        for (int at = 12; at + 8 <= file.length;) {
            int length = in.getInt(at + 4);
            if (length < 0 || length > file.length - at - 8) {
                break;
            }
            if (Signatures.at(file, at, 'E', 'X', 'I', 'F')) {
                int skip = Signatures.at(file, at + 8, 'E', 'x', 'i', 'f', 0, 0) ? 6 : 0;
                exif = Exif.find(file, at + 8 + skip, length - skip);
            } else if (Signatures.at(file, at, 'X', 'M', 'P', ' ')) {
                xmp = Xmp.orientation(file, at + 8, at + 8 + length);
            }
            at += 8 + length + (length & 1);
        }
        return exif != Exif.NONE ? exif : Math.max(1, xmp);
    }
}
