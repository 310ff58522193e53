// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.langchain4j;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.ContentType;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.request.EmbeddingInput;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.model.embedding.response.EmbeddingResponse;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.runtime.InvalidFeaturesException;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;

/**
 * A LangChain4j {@link EmbeddingModel} for images, backed by an ONNX encoder. Each input of a request is one {@link ImageContent} that
 * holds the bytes of an image file, as created by {@link ImageContent#from(java.nio.file.Path, String)}. The image format is detected from
 * the bytes; the media type is ignored. Requests with text, and the methods that take text, throw
 * {@link dev.langchain4j.exception.UnsupportedFeatureException}.
 *
 * <p>Embeddings are not normalized to length 1. Embedding stores that use cosine similarity do not need that.
 *
 * <p>The model is thread-safe. It owns the encoder, and with it native memory: close the model.
 *
 * <p>LangChain4j marks requests with images as experimental. This class supports versions 1.19 to 1.23.
 *
 * @since 0.1.0
 */
public final class ImageEmbeddingModel implements EmbeddingModel, AutoCloseable {
    private final OnnxEncoder encoder;

    /**
     * Creates a model that owns an encoder.
     *
     * @param encoder the encoder, which {@link #close} closes
     */
    public ImageEmbeddingModel(OnnxEncoder encoder) {
        this.encoder = encoder;
    }

    /** Returns the only supported content type, images. */
    @Override
    public Set<ContentType> supportedContentTypes() {
        return Set.of(ContentType.IMAGE);
    }

    /**
     * Returns an embedding for each input of a request, in order. At most one batch of decoded images is in memory at a time.
     *
     * @param request the images
     * @return one embedding of length {@link #dimension()} per input
     * @throws InvalidRequestException if an input is not a single image with its bytes, or the image can't be decoded; the message has the
     *     index of the input
     * @throws InvalidFeaturesException if a feature is not finite
     * @throws IllegalStateException if the model is closed
     */
    @Override
    public EmbeddingResponse doEmbed(EmbeddingRequest request) {
        List<EmbeddingInput> inputs = request.inputs();
        List<Embedding> embeddings = new ArrayList<>(inputs.size());
        for (int from = 0; from < inputs.size(); from += encoder.batch()) {
            List<RgbImage> images = new ArrayList<>();
            for (int i = from; i < Math.min(inputs.size(), from + encoder.batch()); i++) {
                images.add(image(inputs.get(i), i));
            }
            try {
                for (float[] features : encoder.embed(images)) {
                    embeddings.add(Embedding.from(features));
                }
            } catch (InvalidFeaturesException e) {
                throw e.at(from + e.index());
            }
        }
        return EmbeddingResponse.builder()
                .embeddings(embeddings)
                .modelName(modelName())
                .build();
    }

    private static RgbImage image(EmbeddingInput input, int i) {
        List<Content> contents = input.contents();
        if (contents.size() != 1 || !(contents.get(0) instanceof ImageContent content)) {
            throw new InvalidRequestException("Expected one image in input " + i + ", found " + contents.size()
                    + " contents of " + input.contentTypes());
        }
        String base64 = content.image().base64Data();
        if (base64 == null) {
            // The request may come from an untrusted user, so no URL is fetched (SSRF).
            throw new InvalidRequestException("Expected the image's bytes in input " + i + ", found the URL "
                    + content.image().url()
                    + ": download the image, and create the content with ImageContent.from(Path, String)");
        }
        try {
            return Images.read(Base64.getDecoder().decode(base64));
        } catch (IOException | IllegalArgumentException e) {
            throw new InvalidRequestException("Input " + i + " can't be decoded as an image: " + e.getMessage(), e);
        }
    }

    /** Returns the length of an embedding. */
    @Override
    public int dimension() {
        return encoder.dimension();
    }

    /** Returns the SHA-256 of the encoder's file, in hexadecimal. */
    @Override
    public String modelName() {
        return encoder.sha256();
    }

    /** Waits for running calls, then closes the encoder. Further calls have no effect. */
    @Override
    public void close() {
        encoder.close();
    }
}
