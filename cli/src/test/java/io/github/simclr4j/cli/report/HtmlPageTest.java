// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.RgbImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

class HtmlPageTest {
    @Test
    void textsAreEscapedAndBrokenCharactersReplaced() {
        assertEquals("&lt;a href=&quot;x&quot;&gt; &amp; &#39;&#10;&#13;", HtmlPage.escape("<a href=\"x\"> & '\n\r"));
        assertEquals("\ufffd \ufffd \ud83d\ude00 \u00e4", HtmlPage.escape("\0 \ud83d \ud83d\ude00 \u00e4"));
    }

    @Test
    void aPageIsWholeAndItsTitleIsItsHeading() {
        String page = new HtmlPage("a < b")
                .element("p", "x & y")
                .facts(List.of(Map.entry("k<", 1)))
                .style(".z { }\n")
                .script("go();\n")
                .toString();
        assertTrue(page.startsWith("<!DOCTYPE html>\n<html lang=\"en\">"));
        assertTrue(page.contains("<title>a &lt; b</title>") && page.contains("<h1>a &lt; b</h1>"));
        assertTrue(page.contains("<p>x &amp; y</p>") && page.contains("<th scope=\"row\">k&lt;</th><td>1</td>"));
        assertTrue(page.contains(".z { }\n</style>") && page.contains("<script>\ngo();\n</script>"));
        assertTrue(page.endsWith("</body>\n</html>\n"));
        assertFalse(page.contains("http:") || page.contains("https:"));
    }

    @Test
    void thumbnailsKeepProportionsAndAreSmall() throws IOException {
        for (int[] size : new int[][] {{32, 32, 32, 32}, {400, 100, 112, 28}, {10, 3000, 8, 112}}) {
            String uri = DataImage.thumbnail(new RgbImage(size[0], size[1], new byte[3 * size[0] * size[1]]));
            String prefix = "data:image/jpeg;base64,";
            assertTrue(uri.startsWith(prefix));
            var image =
                    ImageIO.read(new ByteArrayInputStream(Base64.getDecoder().decode(uri.substring(prefix.length()))));
            assertEquals(size[2], image.getWidth());
            assertEquals(size[3], image.getHeight());
        }
    }
}
