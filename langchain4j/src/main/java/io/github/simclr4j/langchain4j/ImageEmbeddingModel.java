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
 * An encoder file as an {@link EmbeddingModel} of LangChain4j. It embeds images, not text: each input of a request is one
 * {@link ImageContent} that holds the bytes of an image file, as {@link ImageContent#from(java.nio.file.Path, String)} makes it. The
 * media type is not looked at, the bytes say what they are. Requests with text, and the methods that take text, end in LangChain4j's
 * {@link dev.langchain4j.exception.UnsupportedFeatureException}.
 *
 * <p>Embeddings are the encoder's features as they are, not scaled to length 1; stores that compare by cosine similarity need no more.
 * Several threads may call the model at once.
 *
 * <p>LangChain4j marks the requests that carry images as experimental; this class was written for versions 1.19 to 1.23.
 *
 * @since 0.1.0
 */
public final class ImageEmbeddingModel implements EmbeddingModel, AutoCloseable {
    private final OnnxEncoder encoder;

    /**
     * Takes over an encoder.
     *
     * @param encoder is closed with the model
     */
    public ImageEmbeddingModel(OnnxEncoder encoder) {
        this.encoder = encoder;
    }

    /** Returns images alone. */
    @Override
    public Set<ContentType> supportedContentTypes() {
        return Set.of(ContentType.IMAGE);
    }

    /**
     * Returns an embedding for each input of a request, in order. Images are decoded as many at a time as go through the encoder at once.
     *
     * @throws InvalidRequestException if an input is not one image with its bytes, or the bytes are no whole image; the message has the
     *     input's number, from 0
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
            // An address in a request may come from a stranger: nothing is fetched from it.
            throw new InvalidRequestException("Expected the image's bytes in input " + i + ", found the address "
                    + content.image().url() + ": read it first, a file by ImageContent.from(Path, String)");
        }
        try {
            return Images.read(Base64.getDecoder().decode(base64));
        } catch (IOException | IllegalArgumentException e) {
            throw new InvalidRequestException("The bytes of input " + i + " are no whole image: " + e.getMessage(), e);
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

    /** Closes the encoder, when running calls have ended; a second call does nothing. */
    @Override
    public void close() {
        encoder.close();
    }
}
