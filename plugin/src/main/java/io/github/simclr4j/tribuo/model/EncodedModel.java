package io.github.simclr4j.tribuo.model;

import ai.onnx.proto.OnnxMl;
import com.google.protobuf.Any;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
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
 * An encoder and a Tribuo model that was trained on its features, as one model that predicts from an image.
 *
 * <p>Its features are the pixels that {@link #example} makes, {@code p0000} and so on, row by row, red, green and blue of each
 * pixel, from 0 to 1; a pixel that is not there is 0. For an encoder of ours that is what {@link PixelFeatureExtractor} makes
 * at the encoder's size. So Tribuo's evaluators and data sets work with it. {@link #predict(Path)}, {@link #predict(byte[])},
 * {@link #predict(BufferedImage)} and {@link #predictImages} take an image of any size without that detour and give the same
 * scores; the example in their predictions holds the encoder's features.
 *
 * <p>Saved by {@link #serializeToFile} and loaded by {@link Model#deserializeFromFile} like any model of Tribuo's, with the
 * encoder file inside or by its path and SHA-256.
 *
 * <p>The model owns the encoder's native session: {@link #close} frees it, after which predicting throws
 * {@link IllegalStateException} and saving still works. It may be shared by threads, and must not be closed while another
 * thread predicts. A {@link #copy} has a session of its own and is closed on its own.
 *
 * @param <T> the output type
 */
public final class EncodedModel<T extends Output<T>> extends Model<T> implements AutoCloseable {
    private static final long serialVersionUID = 1L;

    /** Protobuf serialization version. */
    public static final int CURRENT_VERSION = 0;
    /** Provenance of the model: the SHA-256 of the encoder file. */
    public static final String ENCODER_HASH = SimCLRFeatureExtractor.ExtractorProvenance.ENCODER_HASH;
    /** Provenance of the model: the resize rule before the encoder. */
    public static final String PREPROCESSING = SimCLRFeatureExtractor.ExtractorProvenance.PREPROCESSING;
    /** Provenance of the model: what the encoder's metadata says is under this and the metadata's key. */
    public static final String ENCODER_PREFIX = "encoder-";
    /** Provenance of the model: the class of the model on the features. */
    public static final String INNER_CLASS = "inner-model-class";

    /** Images that go through the encoder together. */
    private static final int BATCH = 64;

    private final OutputFactory<T> outputFactory;
    private final Model<T> innerModel;
    private final transient EncoderFile file;
    private final transient OnnxEncoder encoder;
    private final transient String[] names;
    private final transient String[] pixelNames;

    EncodedModel(String name, ModelProvenance provenance, OutputFactory<T> outputFactory, Model<T> innerModel, EncoderFile file,
            OnnxEncoder encoder) {
        super(name, provenance, pixelDomain(encoder.preprocessing()), innerModel.getOutputIDInfo(),
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
     * A model that is saved with the encoder file inside.
     *
     * @param factory what makes outputs, the unknown one included
     * @param encoder the encoder file, without external data
     * @param model trained on this encoder's features; it stays usable on its own
     * @param threads threads of one call of the encoder, 0 for as many as ONNX Runtime likes
     * @throws IOException if the file can't be read or is no encoder
     * @throws IllegalArgumentException if the model was trained on other features, see {@link #referringTo}
     */
    public static <T extends Output<T>> EncodedModel<T> containing(
            OutputFactory<T> factory, Path encoder, Model<T> model, int threads) throws IOException {
        byte[] bytes = EncoderFile.read(encoder);
        return EncodedModelFactory.create(factory, model, EncoderFile.inside(bytes, encoder.toString(), threads), bytes,
                alone -> EncoderChecks.beside(model, alone, encoder));
    }

    /**
     * A model that is saved with an extractor's encoder file inside. The extractor stays the caller's to close, and its
     * execution provider and session options do not become the model's, which runs on the CPU.
     *
     * @param extractor what made the model's features
     * @param model trained on them; it stays usable on its own
     * @throws IOException if the extractor's file can't be read any more
     * @throws IllegalArgumentException if the extractor's file has changed, or has not all the settings of the extractor
     *     inside, or the model was trained on other features, see {@link #referringTo}
     */
    public static <T extends Output<T>> EncodedModel<T> containing(SimCLRFeatureExtractor<T> extractor, Model<T> model)
            throws IOException {
        Path encoder = extractor.encoderPath();
        byte[] bytes = EncoderFile.read(encoder);
        EncoderFile file = EncoderFile.inside(bytes, encoder.toString(), extractor.threads());
        return EncodedModelFactory.create(extractor.getOutputFactory(), model, file, bytes,
                alone -> EncoderChecks.same(alone, extractor.encoder(), encoder.toString(), "the extractor has"));
    }

    /**
     * A model that is saved with the encoder's path and SHA-256. Whoever loads it needs the unchanged file at that path, or
     * says where it is, see {@link #load(Path, Path)}.
     *
     * <p>The encoder is fed as its file alone says: settings that an extractor was given, or found in a configuration beside the
     * file, are not saved. A model of features that were made with others is refused, as far as that can be known: by the
     * settings in the model's provenance; or, where it has none (it has them if a data source was given the extractor), if a
     * configuration beside the file says otherwise, or the file does not say how values are normalised. Other settings that the
     * extractor of such a model was given are not known: use {@link #containing(SimCLRFeatureExtractor, Model)}.
     *
     * @param factory what makes outputs, the unknown one included
     * @param encoder the encoder file, without external data
     * @param model trained on this encoder's features; it stays usable on its own
     * @param threads threads of one call of the encoder, 0 for as many as ONNX Runtime likes
     * @throws IOException if the file can't be read or is no encoder
     * @throws IllegalArgumentException if the model has features that are none of this encoder's, lacks some of them, or its
     *     provenance names another encoder, even beside this one, or if the features were made with settings that the encoder's
     *     file does not have
     */
    public static <T extends Output<T>> EncodedModel<T> referringTo(
            OutputFactory<T> factory, Path encoder, Model<T> model, int threads) throws IOException {
        EncoderFile file = EncoderFile.at(encoder.toString(), threads);
        return EncodedModelFactory.create(factory, model, file, EncoderFile.read(encoder),
                alone -> EncoderChecks.beside(model, alone, encoder));
    }

    /**
     * A model that is saved with the encoder inside, from an encoder that is in no file.
     *
     * @param factory what makes outputs, the unknown one included
     * @param encoder the bytes of the encoder file, which are not copied; without external data
     * @param name what errors call it
     * @param model trained on this encoder's features; it stays usable on its own
     * @param threads threads of one call of the encoder, 0 for as many as ONNX Runtime likes
     * @throws IOException if it is no encoder
     * @throws IllegalArgumentException if the model was trained on other features, see {@link #referringTo}
     */
    public static <T extends Output<T>> EncodedModel<T> containing(
            OutputFactory<T> factory, byte[] encoder, String name, Model<T> model, int threads) throws IOException {
        return EncodedModelFactory.create(factory, model, EncoderFile.inside(encoder, name, threads), encoder,
                alone -> EncoderChecks.normalised(model, alone, name));
    }

    /**
     * Loads a saved model; as {@link Model#deserializeFromFile}, with the reason itself as the exception if it fails.
     *
     * @throws IOException if the file is no encoded model, or the encoder that it refers to is missing or changed
     */
    public static EncodedModel<?> load(Path file) throws IOException {
        return EncodedModelFile.load(file, null);
    }

    /**
     * Loads a saved model whose encoder file has moved.
     *
     * @param file the saved model
     * @param encoder the encoder; it must be the very file that the model was made with. Null for where it was
     * @throws IOException if the file is no encoded model, or the encoder is missing or another
     */
    public static EncodedModel<?> load(Path file, Path encoder) throws IOException {
        return EncodedModelFile.load(file, encoder);
    }

    /**
     * Deserialization factory.
     *
     * @param version the serialized object version
     * @param className the class name
     * @param message the serialized data
     * @return the model, which is the caller's to close
     * @throws IOException if the encoder it refers to is missing or changed, or the data are damaged
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

    /** The model on the encoder's features. It belongs to this model and is not changed by it. */
    public Model<T> getInnerModel() {
        return innerModel;
    }

    /** What makes outputs, the unknown one included. */
    public OutputFactory<T> getOutputFactory() {
        return outputFactory;
    }

    /** The encoder. It belongs to the model. */
    public OnnxEncoder encoder() {
        return encoder;
    }

    /**
     * An example of pixels that {@link #predict(Example)} understands.
     *
     * @param image of any size
     * @param output the example's output
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
     * @throws IllegalArgumentException if the example has no features, has one that is no pixel of the encoder's image, or
     *     one that is not from 0 to 1
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
        // These are pixels after the encoder's preprocessing, which may not be applied twice.
        ByteBuffer pixels = ByteBuffer.allocate(Math.multiplyExact(examples.size(), pixelNames.length));
        Preprocessing rule = encoder.preprocessing();
        examples.forEach(e -> pixels.put(PixelFeatureExtractor.image(e, rule.width(), rule.height()).rgb()));
        List<Prediction<T>> inner = predictFeatures(
                () -> encoder.embed(pixels.flip()), i -> ExampleNames.of(examples.get(i)));
        List<Prediction<T>> predictions = new ArrayList<>(inner.size());
        for (int i = 0; i < inner.size(); i++) {
            predictions.add(new Prediction<>(inner.get(i), examples.get(i).size(), examples.get(i)));
        }
        return predictions;
    }

    /**
     * Predicts from an image file.
     *
     * @throws IOException if the file can't be read or is no whole image; the message names it
     * @throws IllegalStateException if the model is closed, or the encoder's output is not finite
     */
    public Prediction<T> predict(Path image) throws IOException {
        RgbImage read = Images.read(image);
        Prediction<T> prediction = predictFeatures(() -> encoder.embed(List.of(read)), i -> image.toString()).get(0);
        prediction.getExample().setMetadataValue(Example.NAME, image.toString());
        return prediction;
    }

    /**
     * Predicts from the bytes of an image file.
     *
     * @throws IOException if they are no whole image
     */
    public Prediction<T> predict(byte[] image) throws IOException {
        return predictImages(List.of(Images.read(image))).get(0);
    }

    /** Predicts from a decoded image. */
    public Prediction<T> predict(BufferedImage image) {
        return predictImages(List.of(Images.of(image))).get(0);
    }

    /** Predicts from decoded images of any size, in batches; see {@link #predict(Path)}. */
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

    /** The top encoder features of the inner model; see {@link Model#getTopFeatures}. */
    @Override
    public Map<String, List<Pair<String, Double>>> getTopFeatures(int n) {
        return innerModel.getTopFeatures(n);
    }

    /** Empty: the encoder's features say nothing about pixels. */
    @Override
    public Optional<Excuse<T>> getExcuse(Example<T> example) {
        return Optional.empty();
    }

    @Override
    protected EncodedModel<T> copy(String newName, ModelProvenance newProvenance) {
        try {
            return new EncodedModel<>(newName, newProvenance, outputFactory, innerModel.copy(), file,
                    file.open(file.bytes(encoder.sha256())));
        } catch (IOException e) {
            throw new IllegalStateException("Can't copy the model: " + e.getMessage(), e);
        }
    }

    /**
     * The model as one ONNX graph, see {@link OnnxStitcher#stitch}.
     *
     * @param domain a reverse-DNS name of the model
     * @param modelVersion a version number of the model
     * @param input what the graph takes
     * @throws IOException if the encoder is referred to, and missing or changed
     * @throws IllegalArgumentException if the inner model can't be written as ONNX, or its features are no output of the
     *     encoder's file
     */
    public OnnxMl.ModelProto exportONNXModel(String domain, long modelVersion, OnnxStitcher.Input input)
            throws IOException {
        OnnxMl.ModelProto graph = OnnxMl.ModelProto.parseFrom(file.bytes(encoder.sha256()));
        String used = encoder.settings().get("output").orElseThrow();
        if (graph.getGraph().getOutputList().stream().noneMatch(o -> o.getName().equals(used))) {
            throw new IllegalArgumentException("The features are the value " + used + " inside " + file.path()
                    + ", expected an output: export the encoder with that value as its output");
        }
        return OnnxStitcher.stitch(graph, innerModel, provenance, domain, modelVersion, input);
    }

    /**
     * Writes the model as one ONNX file, whole or not at all, that takes what the encoder takes, uint8 images if it is one of
     * ours; see {@link #exportONNXModel(String, long, OnnxStitcher.Input)}.
     *
     * @throws IOException if the encoder is referred to, and missing or changed, or the file can't be written
     * @throws IllegalArgumentException as of {@link #exportONNXModel(String, long, OnnxStitcher.Input)}
     */
    public void saveONNXModel(String domain, long modelVersion, Path file) throws IOException {
        AtomicFiles.write(file, exportONNXModel(domain, modelVersion, OnnxStitcher.Input.IMAGE).toByteArray());
    }

    /** Frees the encoder's session; a second call does nothing. */
    @Override
    public void close() {
        encoder.close();
    }
}
