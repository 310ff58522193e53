// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.request.EmbeddingInput;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.store.embedding.EmbeddingMatch;
import dev.langchain4j.store.embedding.EmbeddingSearchRequest;
import dev.langchain4j.store.embedding.EmbeddingStore;
import dev.langchain4j.store.embedding.inmemory.InMemoryEmbeddingStore;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The code of docs/hand-over.md: a store that is filled with images and searched by one. */
class ImageSearchTest {

    static void search(Path encoder, Path photos, Path query) throws IOException {
        try (ImageEmbeddingModel model = new ImageEmbeddingModel(OnnxEncoder.open(encoder))) {
            EmbeddingStore<String> store = new InMemoryEmbeddingStore<>();
            for (Path file : Images.find(photos)) {
                store.add(embedding(model, file), file.toString());
            }
            EmbeddingSearchRequest search = EmbeddingSearchRequest.builder()
                    .queryEmbedding(embedding(model, query))
                    .maxResults(3)
                    .build();
            for (EmbeddingMatch<String> match : store.search(search).matches()) {
                System.out.println(match.score() + " " + match.embedded());
            }
        }
    }

    static Embedding embedding(EmbeddingModel model, Path file) throws IOException {
        EmbeddingInput image = EmbeddingInput.from(ImageContent.from(file, "image/*"));
        return model.embed(EmbeddingRequest.builder().inputs(image).build())
                .embeddings()
                .get(0);
    }

    @Test
    void aStoreFindsTheImagesThatAreMostAlike(@TempDir Path dir) throws IOException {
        Path photos = Files.createDirectories(dir.resolve("photos"));
        for (int rgb : new int[] {0xff0000, 0x00ff00, 0x0000ff, 0xd0e010}) {
            ImageEmbeddingModelTest.png(photos, rgb);
        }
        Path encoder = Files.write(dir.resolve("means.onnx"), ImageEmbeddingModelTest.means());
        PrintStream out = System.out;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        try {
            System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
            search(encoder, photos, ImageEmbeddingModelTest.png(dir, 0x10d020));
        } finally {
            System.setOut(out);
        }
        // By the cosine of the angle between the colours.
        String[] lines = said.toString(StandardCharsets.UTF_8).strip().split("\\R");
        assertEquals(3, lines.length);
        assertTrue(
                lines[0].endsWith("ff00.png")
                        && lines[1].endsWith("d0e010.png")
                        && lines[2].endsWith(photos.resolve("ff.png").toString()),
                said.toString(StandardCharsets.UTF_8));
    }

    @Test
    void theJavaCodeOfThePageIsThisClass() throws IOException {
        Path module = Path.of("").toAbsolutePath();
        String source = bare(
                Files.readString(module.resolve("src/test/java/io/github/simclr4j/langchain4j/ImageSearchTest.java")));
        Matcher fence = Pattern.compile("(?ms)^```java\\R(.*?)^```$")
                .matcher(Files.readString(module.resolveSibling("docs").resolve("hand-over.md")));
        int found = 0;
        while (fence.find()) {
            found++;
            assertTrue(source.contains(bare(fence.group(1))), fence.group(1));
        }
        assertEquals(2, found);
    }

    /** Indentation apart. */
    /** Removes line breaks and indentation, which the formatter sets differently from the page. */
    private static String bare(String text) {
        return text.replaceAll("\\s", "");
    }
}
