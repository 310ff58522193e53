// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.model;

import ai.onnx.proto.OnnxMl;
import com.google.protobuf.Any;
import com.oracle.labs.mlrg.olcut.util.Pair;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.runtime.InvalidFeaturesException;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.tribuo.extraction.PixelFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import io.github.simclr4j.tribuo.internal.ExampleNames;
import io.github.simclr4j.util.AtomicFiles;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.tribuo.CategoricalInfo;
import org.tribuo.Example;
import org.tribuo.Excuse;
import org.tribuo.ImmutableFeatureMap;
import org.tribuo.Model;
import org.tribuo.MutableFeatureMap;
import org.tribuo.Output;
import org.tribuo.OutputFactory;
import org.tribuo.Prediction;
import org.tribuo.impl.ArrayExample;
import org.tribuo.protos.core.ModelProto;
import org.tribuo.provenance.ModelProvenance;

/**
 * Combines an encoder and a Tribuo model of its features into one model that predicts from an image.
 *
 * <p>The features of this model are the pixels of an image, so that Tribuo's evaluators and datasets work with it. {@link #example}
 * makes them: {@code p0000} and so on, row by row, red, green and blue of each pixel, from 0 to 1; a missing feature is 0. For an
 * encoder trained by simclr4j they are the features that {@link PixelFeatureExtractor} extracts at the encoder's size.
 *
 * <p>{@link #predict(Path)}, {@link #predict(byte[])}, {@link #predict(BufferedImage)} and {@link #predictImages} take images of any
 * size directly and return the same scores. The examples in their predictions contain the encoder's features.
 *
 * <p>Save it with {@link #serializeToFile} and load it with {@link Model#deserializeFromFile}, like any Tribuo model. The saved model
 * either contains the encoder file or refers to it by path and SHA-256.
 *
 * <p>The model owns the encoder's native session, which {@link #close} frees. After that predicting throws
 * {@link IllegalStateException}, but saving still works. Threads may share the model, but must not close it while another thread
 * predicts. A {@link #copy} has its own session and is closed separately.
 *
 * @param <T> the output type
 * @since 0.1.0
 */
public final class EncodedModel<T extends Output<T>> extends Model<T> implements AutoCloseable {
    private static final long serialVersionUID = 1L;

    /** The version of the protobuf message. */
    public static final int CURRENT_VERSION = 0;
    /** The provenance key of the SHA-256 of the encoder file. */
    public static final String ENCODER_HASH = SimCLRFeatureExtractor.ExtractorProvenance.ENCODER_HASH;
    /** The provenance key of the resize rule of the encoder's preprocessing. */
    public static final String PREPROCESSING = SimCLRFeatureExtractor.ExtractorProvenance.PREPROCESSING;
    /** The prefix of the provenance keys of the encoder's metadata; the metadata's key follows it. */
    public static final String ENCODER_PREFIX = "encoder-";
    /** The provenance key of the inner model's class. */
    public static final String INNER_CLASS = "inner-model-class";

    /** Number of images per run of the encoder. */
    private static final int BATCH = 64;

    private final OutputFactory<T> outputFactory;
    private final Model<T> innerModel;
    private final transient EncoderFile file;
    private final transient OnnxEncoder encoder;
    private final transient String[] names;
    private final transient String[] pixelNames;

    EncodedModel(
            String name,
            ModelProvenance provenance,
            OutputFactory<T> outputFactory,
            Model<T> innerModel,
            EncoderFile file,
            OnnxEncoder encoder) {
        super(
                name,
                provenance,
                pixelDomain(encoder.preprocessing()),
                innerModel.getOutputIDInfo(),
                innerModel.generatesProbabilities());
        this.outputFactory = outputFactory;
        this.innerModel = innerModel;
        this.file = file;
        this.encoder = encoder;
        this.names = SimCLRFeatureExtractor.featureNames(encoder.dimension());
        this.pixelNames = new String[featureIDMap.size()];
        for (int i = 0; i < pixelNames.length; i++) {
            pixelNames[i] = featureIDMap.get(i).getName();
        }
    }

    private static ImmutableFeatureMap pixelDomain(Preprocessing p) {
        MutableFeatureMap map = new MutableFeatureMap();
        for (String name : PixelFeatureExtractor.featureNames(p.width(), p.height())) {
            map.put(new CategoricalInfo(name));
        }
        return new ImmutableFeatureMap(map);
    }

    /**
     * Creates a model that contains the encoder file when it is saved.
     *
     * @param <T> the output type
     * @param factory the factory of outputs, including the unknown one
     * @param encoder the encoder file, without external data
     * @param model a model trained on this encoder's features; it stays usable on its own
     * @param threads threads per call of the encoder; 0 lets ONNX Runtime choose
     * @throws IOException if the file can't be read or is not an encoder
     * @throws IllegalArgumentException if the model was trained on other features, see {@link #referringTo}
     */
    public static <T extends Output<T>> EncodedModel<T> containing(
            OutputFactory<T> factory, Path encoder, Model<T> model, int threads) throws IOException {
        byte[] bytes = EncoderFile.read(encoder);
        return EncodedModelFactory.create(
                factory,
                model,
                EncoderFile.inside(bytes, encoder.toString(), threads),
                bytes,
                alone -> EncoderChecks.beside(model, alone, encoder));
    }

    /**
     * Creates a model that contains an extractor's encoder file when it is saved. The model does not take over the extractor's
     * execution provider and session options; it runs on the CPU.
     *
     * @param <T> the output type
     * @param extractor the extractor of the features that the model was trained on; the caller closes it
     * @param model a model trained on these features; it stays usable on its own
     * @throws IOException if the extractor's file can no longer be read
     * @throws IllegalArgumentException if the extractor's file has changed, if its metadata lack settings of the extractor, or if the
     *     model was trained on other features, see {@link #referringTo}
     */
    public static <T extends Output<T>> EncodedModel<T> containing(SimCLRFeatureExtractor<T> extractor, Model<T> model)
            throws IOException {
        Path encoder = extractor.encoderPath();
        byte[] bytes = EncoderFile.read(encoder);
        EncoderFile file = EncoderFile.inside(bytes, encoder.toString(), extractor.threads());
        return EncodedModelFactory.create(
                extractor.getOutputFactory(),
                model,
                file,
                bytes,
                alone -> EncoderChecks.same(alone, extractor.encoder(), encoder.toString(), "the extractor has"));
    }

    /**
     * Creates a model that refers to the encoder by its path and SHA-256 when it is saved. To load it, the unchanged file must be at
     * that path, or its new location must be given to {@link #load(Path, Path)}.
     *
     * <p>The model preprocesses images as the encoder's file says. Settings that were passed to an extractor, or that it read from a
     * configuration file beside the encoder, are not saved. So a model of features made with other settings is rejected. The settings
     * are compared with:
     *
     * <ul>
     *   <li>those in the model's provenance. They are there if a data source used the extractor.
     *   <li>otherwise a configuration file beside the encoder, and whether the encoder's file states its normalisation. Settings that
     *       were passed to the extractor are not known in this case: use {@link #containing(SimCLRFeatureExtractor, Model)}.
     * </ul>
     *
     * @param <T> the output type
     * @param factory the factory of outputs, including the unknown one
     * @param encoder the encoder file, without external data
     * @param model a model trained on this encoder's features; it stays usable on its own
     * @param threads threads per call of the encoder; 0 lets ONNX Runtime choose
     * @throws IOException if the file can't be read or is not an encoder
     * @throws IllegalArgumentException if the model's features are not exactly this encoder's, if its provenance names another
     *     encoder (even beside this one), or if the features were made with settings that the encoder's file lacks
     */
    public static <T extends Output<T>> EncodedModel<T> referringTo(
            OutputFactory<T> factory, Path encoder, Model<T> model, int threads) throws IOException {
        EncoderFile file = EncoderFile.at(encoder.toString(), threads);
        return EncodedModelFactory.create(
                factory, model, file, EncoderFile.read(encoder), alone -> EncoderChecks.beside(model, alone, encoder));
    }

    /**
     * Creates a model that contains the encoder when it is saved, from an encoder in memory.
     *
     * @param <T> the output type
     * @param factory the factory of outputs, including the unknown one
     * @param encoder the bytes of an encoder file without external data; they are not copied
     * @param name the encoder's name in messages
     * @param model a model trained on this encoder's features; it stays usable on its own
     * @param threads threads per call of the encoder; 0 lets ONNX Runtime choose
     * @throws IOException if the bytes are not an encoder
     * @throws IllegalArgumentException if the model was trained on other features, see {@link #referringTo}
     */
    public static <T extends Output<T>> EncodedModel<T> containing(
            OutputFactory<T> factory, byte[] encoder, String name, Model<T> model, int threads) throws IOException {
        return EncodedModelFactory.create(
                factory,
                model,
                EncoderFile.inside(encoder, name, threads),
                encoder,
                alone -> EncoderChecks.normalised(model, alone, name));
    }

    /**
     * Loads a saved model. Unlike {@link Model#deserializeFromFile} it throws the reason of a failure directly.
     *
     * @param file the saved model
     * @return the model; the caller closes it
     * @throws IOException if the file is not an encoded model, or if the encoder that it refers to is missing or has changed
     */
    public static EncodedModel<?> load(Path file) throws IOException {
        return EncodedModelFile.load(file, null);
    }

    /**
     * Loads a saved model whose encoder file has moved.
     *
     * @param file the saved model
     * @param encoder the present location of the encoder file that the model was created with; null for the saved location
     * @return the model; the caller closes it
     * @throws IOException if the file is not an encoded model, or if the encoder is missing or a different one
     */
    public static EncodedModel<?> load(Path file, Path encoder) throws IOException {
        return EncodedModelFile.load(file, encoder);
    }

    /**
     * Restores a saved model.
     *
     * @param version the serialized object version
     * @param className the class name
     * @param message the serialized data
     * @return the model; the caller closes it
     * @throws IOException if the encoder file is missing or has changed, or if the data are damaged
     */
    public static EncodedModel<?> deserializeFromProto(int version, String className, Any message) throws IOException {
        return EncodedModelFile.read(version, message, null);
    }

    @Override
    public ModelProto serialize() {
        return EncodedModelFile.write(this, file);
    }

    private void writeObject(ObjectOutputStream out) throws NotSerializableException {
        throw new NotSerializableException(EncodedModel.class.getName() + ": save it with serializeToFile");
    }

    /** Returns the model of the encoder's features. */
    public Model<T> getInnerModel() {
        return innerModel;
    }

    /** Returns the factory of outputs, including the unknown output. */
    public OutputFactory<T> getOutputFactory() {
        return outputFactory;
    }

    /** Returns the encoder. The model owns it; do not close it. */
    public OnnxEncoder encoder() {
        return encoder;
    }

    /**
     * Makes an example of pixels for {@link #predict(Example)}.
     *
     * @param image an image of any size
     * @param output the output of the example
     * @return an example with the pixels of the preprocessed image
     */
    public Example<T> example(RgbImage image, T output) {
        byte[] rgb = encoder.preprocessing().apply(image).rgb();
        double[] values = new double[rgb.length];
        for (int i = 0; i < rgb.length; i++) {
            values[i] = (rgb[i] & 255) / 255.0;
        }
        return new ArrayExample<>(output, pixelNames, values);
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalArgumentException if the example has no features, or if it has a feature that is not a pixel of the encoder's
     *     input or not in [0, 1]
     * @throws IllegalStateException if the model is closed, or the encoder's output is not finite
     */
    @Override
    public Prediction<T> predict(Example<T> example) {
        return predictBatch(List.of(example)).get(0);
    }

    @Override
    protected List<Prediction<T>> innerPredict(Iterable<Example<T>> examples) {
        List<Prediction<T>> predictions = new ArrayList<>();
        List<Example<T>> batch = new ArrayList<>(BATCH);
        for (Example<T> example : examples) {
            batch.add(example);
            if (batch.size() == BATCH) {
                predictions.addAll(predictBatch(batch));
                batch.clear();
            }
        }
        predictions.addAll(predictBatch(batch));
        return predictions;
    }

    private List<Prediction<T>> predictBatch(List<Example<T>> examples) {
        // The pixels are preprocessed already, which must not happen twice.
        ByteBuffer pixels = ByteBuffer.allocate(Math.multiplyExact(examples.size(), pixelNames.length));
        Preprocessing rule = encoder.preprocessing();
        examples.forEach(e -> pixels.put(
                PixelFeatureExtractor.image(e, rule.width(), rule.height()).rgb()));
        List<Prediction<T>> inner =
                predictFeatures(() -> encoder.embed(pixels.flip()), i -> ExampleNames.of(examples.get(i)));
        List<Prediction<T>> predictions = new ArrayList<>(inner.size());
        for (int i = 0; i < inner.size(); i++) {
            predictions.add(new Prediction<>(inner.get(i), examples.get(i).size(), examples.get(i)));
        }
        return predictions;
    }

    /**
     * Predicts from an image file.
     *
     * @param image the image file
     * @throws IOException if the file can't be read or is not a complete image; the message names the file
     * @throws IllegalStateException if the model is closed, or the encoder's output is not finite
     */
    public Prediction<T> predict(Path image) throws IOException {
        RgbImage read = Images.read(image);
        Prediction<T> prediction = predictFeatures(() -> encoder.embed(List.of(read)), i -> image.toString())
                .get(0);
        prediction.getExample().setMetadataValue(Example.NAME, image.toString());
        return prediction;
    }

    /**
     * Predicts from the bytes of an image file.
     *
     * @param image the bytes of the image file
     * @throws IOException if the bytes are not a complete image in a supported format
     * @throws IllegalStateException if the model is closed, or the encoder's output is not finite
     */
    public Prediction<T> predict(byte[] image) throws IOException {
        return predictImages(List.of(Images.read(image))).get(0);
    }

    /**
     * Predicts from a decoded image.
     *
     * @param image an image of any size
     * @throws IllegalStateException if the model is closed, or the encoder's output is not finite
     */
    public Prediction<T> predict(BufferedImage image) {
        return predictImages(List.of(Images.of(image))).get(0);
    }

    /**
     * Predicts from decoded images, in batches.
     *
     * @param images images of any size
     * @return a prediction per image, in their order
     * @throws IllegalStateException if the model is closed, or the encoder's output is not finite
     */
    public List<Prediction<T>> predictImages(List<RgbImage> images) {
        List<Prediction<T>> predictions = new ArrayList<>(images.size());
        for (int from = 0; from < images.size(); from += BATCH) {
            int first = from;
            List<RgbImage> part = images.subList(from, Math.min(images.size(), from + BATCH));
            predictions.addAll(predictFeatures(() -> encoder.embed(part), i -> "image " + (first + i)));
        }
        return predictions;
    }

    private List<Prediction<T>> predictFeatures(Supplier<float[][]> encoded, IntFunction<String> name) {
        float[][] embeddings;
        try {
            embeddings = encoded.get();
        } catch (InvalidFeaturesException e) {
            throw e.named(name.apply(e.index()));
        }
        List<Example<T>> examples = new ArrayList<>(embeddings.length);
        for (int i = 0; i < embeddings.length; i++) {
            double[] features = new double[names.length];
            for (int j = 0; j < names.length; j++) {
                features[j] = embeddings[i][j];
            }
            examples.add(new ArrayExample<>(outputFactory.getUnknownOutput(), names, features));
        }
        return innerModel.predict(examples);
    }

    /** Returns the top features of the inner model; see {@link Model#getTopFeatures}. */
    @Override
    public Map<String, List<Pair<String, Double>>> getTopFeatures(int n) {
        return innerModel.getTopFeatures(n);
    }

    /** Returns nothing, because the inner model's explanation is in terms of features and not of pixels. */
    @Override
    public Optional<Excuse<T>> getExcuse(Example<T> example) {
        return Optional.empty();
    }

    @Override
    protected EncodedModel<T> copy(String newName, ModelProvenance newProvenance) {
        try {
            return new EncodedModel<>(
                    newName,
                    newProvenance,
                    outputFactory,
                    innerModel.copy(),
                    file,
                    file.open(file.bytes(encoder.sha256())));
        } catch (IOException e) {
            throw new IllegalStateException("Can't copy the model: " + e.getMessage(), e);
        }
    }

    /**
     * Exports the model as one ONNX graph; see {@link OnnxStitcher#stitch}.
     *
     * @param domain a reverse-DNS name of the model
     * @param modelVersion a version number of the model
     * @param input the kind of input of the graph
     * @throws IOException if the model refers to an encoder file that is missing or has changed
     * @throws IllegalArgumentException if Tribuo can't export the inner model to ONNX, or if its features are not an output of the
     *     encoder's graph
     */
    public OnnxMl.ModelProto exportONNXModel(String domain, long modelVersion, OnnxStitcher.Input input)
            throws IOException {
        OnnxMl.ModelProto graph = OnnxMl.ModelProto.parseFrom(file.bytes(encoder.sha256()));
        String used = encoder.settings().get("output").orElseThrow();
        if (graph.getGraph().getOutputList().stream().noneMatch(o -> o.getName().equals(used))) {
            boolean several = used.contains(",");
            throw new IllegalArgumentException(
                    "The features are " + (several ? "those of the outputs " : "the intermediate value ") + used
                            + " of " + file.path() + ", expected one output of the graph: export the encoder with "
                            + (several ? "these concatenated" : "that value") + " as its output");
        }
        return OnnxStitcher.stitch(graph, innerModel, provenance, domain, modelVersion, input);
    }

    /**
     * Exports the model atomically to one ONNX file with the encoder's own input, which is uint8 images for an encoder trained by
     * simclr4j. See {@link #exportONNXModel(String, long, OnnxStitcher.Input)}.
     *
     * @param domain a reverse-DNS name of the model
     * @param modelVersion a version number of the model
     * @param file the file to write
     * @throws IOException if the model refers to an encoder file that is missing or has changed, or if the file can't be written
     * @throws IllegalArgumentException if Tribuo can't export the inner model to ONNX, or if its features are not an output of the
     *     encoder's graph
     */
    public void saveONNXModel(String domain, long modelVersion, Path file) throws IOException {
        AtomicFiles.write(
                file,
                exportONNXModel(domain, modelVersion, OnnxStitcher.Input.IMAGE).toByteArray());
    }

    /** Frees the encoder's session. A second call does nothing. */
    @Override
    public void close() {
        encoder.close();
    }
}
