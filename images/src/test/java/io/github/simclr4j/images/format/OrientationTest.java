// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.simclr4j.images.ImageDecoder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** PNG, WebP and TIFF files and what Pillow understands, see make.py beside them; those of JPEG are in {@link JpegDecoderTest}. */
class OrientationTest {
    private static final Map<String, ImageDecoder> DECODERS =
            Map.of("png", new PngDecoder(), "webp", new WebPDecoder(), "tif", new TiffDecoder());

    private static byte[] resource(String name) throws IOException {
        try (var in = OrientationTest.class.getResourceAsStream("/orientation/" + name)) {
            return in.readAllBytes();
        }
    }

    @TestFactory
    Stream<DynamicTest> everyFileIsLookedAtAsPillowDoes() throws IOException {
        return new String(resource("expected.txt"), StandardCharsets.US_ASCII)
                .lines()
                .map(line -> line.split(" "))
                .map(f -> DynamicTest.dynamicTest(f[0], () -> {
                    ImageDecoder decoder = DECODERS.get(f[0].substring(f[0].indexOf('.') + 1));
                    assertEquals(Integer.parseInt(f[1]), decoder.orientation(resource(f[0])));
                }));
    }

    @Test
    void damagedMetadataDoNotTurnAnImage() {
        byte[] block = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0};
        assertEquals(6, Exif.orientation(block, 0, block.length));
        for (int length = 0; length < 20; length++) {
            assertEquals(1, Exif.orientation(block, 0, length));
        }
        for (int at : new int[] {0, 1, 4, 7, 12, 14}) {
            byte[] damaged = block.clone();
            damaged[at] = 99;
            assertEquals(1, Exif.orientation(damaged, 0, damaged.length), "byte " + at);
        }
    }

    @Test
    void anXmpPacketSaysItInSeveralWays() {
        assertEquals(6, Xmp.orientation("<a tiff:Orientation=\"6\"/>"));
        assertEquals(6, Xmp.orientation("<a tiff:Orientation = '6'/>"));
        assertEquals(6, Xmp.orientation("<tiff:Orientation> 6 </tiff:Orientation>"));
        assertEquals(1, Xmp.orientation("<a tiff:Orientation=\"9\"/>"));
        assertEquals(Exif.NONE, Xmp.orientation("<a tiff:Make=\"6\"/>"));
    }
}
