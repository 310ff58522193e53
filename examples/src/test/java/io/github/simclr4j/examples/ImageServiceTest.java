// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.loop.EncoderExport;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import io.github.simclr4j.tribuo.model.EncodedModel;
import io.github.simclr4j.tribuo.source.ImageFolderDataSource;
import io.github.simclr4j.util.AtomicFiles;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.classification.sgd.linear.LogisticRegressionTrainer;

/** The web service of docs/serving.md. */
class ImageServiceTest {
    @TempDir
    static Path dir;

    private static Path encoder;
    private static List<Path> images;
    private final HttpClient client = HttpClient.newHttpClient();

    @BeforeAll
    static void prepare() throws IOException {
        BuiltInImages.write(dir.resolve("labelled"), 2, 1);
        images = Images.find(dir.resolve("labelled"));
        encoder = dir.resolve("encoder.onnx");
        AtomicFiles.write(encoder, EncoderExport.untrained(new ResNet(18, 1.0 / 16, ResNet.Stem.CIFAR), 32, 1));
    }

    private HttpRequest request(ImageService service, byte[] body) {
        return HttpRequest.newBuilder(URI.create("http://localhost:" + service.port() + "/"))
                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                .build();
    }

    private JsonObject post(ImageService service, byte[] body, int status) throws IOException, InterruptedException {
        HttpResponse<String> response = client.send(request(service, body), HttpResponse.BodyHandlers.ofString());
        assertEquals(status, response.statusCode(), response.body());
        return new Gson().fromJson(response.body(), JsonObject.class);
    }

    @Test
    void anEncoderGivesFeaturesToManyAtOnce() throws Exception {
        try (ImageService service = new ImageService(encoder, 0, 1);
                OnnxEncoder direct = OnnxEncoder.open(encoder, 1)) {
            List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
            for (Path image : images) {
                answers.add(client.sendAsync(
                        request(service, Files.readAllBytes(image)), HttpResponse.BodyHandlers.ofString()));
            }
            for (int i = 0; i < images.size(); i++) {
                float[] expected = direct.embed(List.of(Images.read(images.get(i))))[0];
                HttpResponse<String> answer = answers.get(i).get();
                assertEquals(200, answer.statusCode(), answer.body());
                float[] found = new Gson()
                        .fromJson(
                                new Gson()
                                        .fromJson(answer.body(), JsonObject.class)
                                        .get("features"),
                                float[].class);
                for (int d = 0; d < expected.length; d++) {
                    assertEquals(expected[d], found[d], 1e-5f * Math.max(1, Math.abs(expected[d])));
                }
            }
        }
    }

    @Test
    void oneOnnxFileGivesTheScoresOfTribuosModel() throws Exception {
        LabelFactory labels = new LabelFactory();
        Path file = dir.resolve("animals.onnx");
        Map<String, Label> expected;
        try (SimCLRFeatureExtractor<Label> extractor = new SimCLRFeatureExtractor<>(labels, encoder)) {
            Model<Label> linear = new LogisticRegressionTrainer()
                    .train(new MutableDataset<>(new ImageFolderDataSource<>(dir.resolve("labelled"), extractor)));
            try (EncodedModel<Label> model = EncodedModel.containing(extractor, linear)) {
                model.saveONNXModel("com.example.animals", 1, file);
                Prediction<Label> prediction = model.predict(images.get(0));
                expected = prediction.getOutputScores();
            }
        }
        try (ImageService service = new ImageService(file, 0, 1)) {
            JsonObject scores =
                    post(service, Files.readAllBytes(images.get(0)), 200).getAsJsonObject("scores");
            assertEquals(expected.keySet(), scores.keySet());
            expected.forEach((name, label) ->
                    assertEquals(label.getScore(), scores.get(name).getAsDouble(), 1e-4));
        }
    }

    @Test
    void badRequestsAreAnsweredInOneLine() throws Exception {
        try (ImageService service = new ImageService(encoder, 0, 1)) {
            String error =
                    post(service, "no image".getBytes(), 400).get("error").getAsString();
            assertTrue(error.length() > 10 && !error.contains("\n"), error);
            byte[] whole = Files.readAllBytes(images.get(0));
            post(service, Arrays.copyOf(whole, whole.length / 2), 400);
            post(service, new byte[(10 << 20) + 1], 413);
            HttpResponse<String> get = client.send(
                    HttpRequest.newBuilder(URI.create("http://localhost:" + service.port()))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            assertEquals(405, get.statusCode());
            post(service, whole, 200);
        }
    }
}
