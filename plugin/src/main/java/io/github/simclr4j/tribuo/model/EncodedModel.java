package io.github.simclr4j.tribuo.model;

import ai.onnx.proto.OnnxMl;
import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import com.oracle.labs.mlrg.olcut.util.Pair;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.PixelFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import io.github.simclr4j.tribuo.internal.EncoderFacts;
import io.github.simclr4j.tribuo.protos.EncodedModelProto;
import io.github.simclr4j.util.AtomicFiles;
import io.github.simclr4j.util.Sha256;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntFunction;
import java.util.stream.Stream;
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
import org.tribuo.impl.ModelDataCarrier;
import org.tribuo.protos.core.ModelProto;
import org.tribuo.provenance.ModelProvenance;

/**
 * An encoder and a Tribuo model that was trained on its features, as one model that predicts from an image.
 *
 * <p>Its features are the pixels that {@link #example} makes, {@code p0000} and so on, row by row, red, green and blue of each
 * pixel, from 0 to 1; a pixel that is not there is 0. For an encoder of ours that is what {@link PixelFeatureExtractor} makes
 * at the encoder's size. So Tribuo's evaluators and data sets work with it. {@link #predict(Path)}, {@link #predict(byte[])}, {@link #predict(BufferedImage)} and
 * {@link #predictImages} take an image of any size without that detour and give the same scores; the example in their
 * predictions holds the encoder's features.
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
    private static final String FIX = ": write a file that has them inside (simclr export with the same options, or Conversion)"
            + " and train on its features";

    private final OutputFactory<T> outputFactory;
    private final Model<T> innerModel;
    /** The encoder file, null if only its path is kept. */
    private final byte[] encoderFile;
    private final String encoderPath;
    private final int threads;
    private final transient OnnxEncoder encoder;
    private final transient String[] names;
    private final transient String[] pixelNames;

    private EncodedModel(
            String name,
            ModelProvenance provenance,
            OutputFactory<T> outputFactory,
            Model<T> innerModel,
            byte[] encoderFile,
            String encoderPath,
            int threads,
            OnnxEncoder encoder) {
        super(name, provenance, pixelDomain(encoder.preprocessing()), innerModel.getOutputIDInfo(),
                innerModel.generatesProbabilities());
        this.outputFactory = outputFactory;
        this.innerModel = innerModel;
        this.encoderFile = encoderFile;
        this.encoderPath = encoderPath;
        this.threads = threads;
        this.encoder = encoder;
        this.names = featureNames(encoder.dimension());
        this.pixelNames = new String[featureIDMap.size()];
        for (int i = 0; i < pixelNames.length; i++) {
            pixelNames[i] = featureIDMap.get(i).getName();
        }
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
        return create(factory, model, read(encoder), true, encoder.toString(), threads, a -> checkBeside(model, a, encoder));
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
        return create(extractor.getOutputFactory(), model, read(encoder), true, encoder.toString(), extractor.threads(),
                alone -> checkSame(alone, extractor.encoder(), encoder.toString(), "the extractor has"));
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
        return create(factory, model, read(encoder), false, encoder.toString(), threads, a -> checkBeside(model, a, encoder));
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
        return create(factory, model, encoder, true, name, threads, alone -> checkNormalised(model, alone, name));
    }

    private static byte[] read(Path encoder) throws IOException {
        if (!Files.isRegularFile(encoder)) {
            throw new IOException(encoder + " is not a file: name the encoder that the model was trained with");
        }
        return Files.readAllBytes(encoder);
    }

    /** What is to be checked of an encoder that was opened from its file alone. */
    private interface Check {
        void of(OnnxEncoder alone) throws IOException;
    }

    /** A new model. */
    private static <T extends Output<T>> EncodedModel<T> create(
            OutputFactory<T> factory, Model<T> model, byte[] file, boolean inside, String path, int threads, Check check)
            throws IOException {
        return create(factory, model, file, inside, path, threads, null, encoder -> {
            checkOneEncoder(model, encoder, path);
            checkSettings(model, encoder, path);
            check.of(encoder);
        });
    }

    /** Opens the encoder and checks that it fits; whatever fails, no session stays open. */
    private static <T extends Output<T>> EncodedModel<T> create(
            OutputFactory<T> factory, Model<T> model, byte[] file, boolean inside, String path, int threads,
            ModelDataCarrier<?> saved, Check check) throws IOException {
        OnnxEncoder encoder = open(file, path, threads);
        try {
            checkFeatures(model, encoder, path);
            check.of(encoder);
            return new EncodedModel<>(
                    saved == null ? model.getName() : saved.name(),
                    saved == null ? provenance(model, encoder) : saved.provenance(),
                    factory, model, inside ? file : null, path, threads, encoder);
        } catch (IOException | RuntimeException e) {
            encoder.close();
            throw e;
        }
    }

    private static OnnxEncoder open(byte[] file, String path, int threads) throws IOException {
        try {
            return OnnxEncoder.open(file, path, threads);
        } catch (InvalidEncoderException e) {
            if (hasExternalData(file)) {
                throw new IOException(path + " keeps weights in other files, expected an encoder in one file: save it as one"
                        + " (onnx.save_model without save_as_external_data)", e);
            }
            throw e;
        }
    }

    private static boolean hasExternalData(byte[] file) {
        try {
            return OnnxMl.ModelProto.parseFrom(file).getGraph().getInitializerList().stream()
                    .anyMatch(t -> t.getExternalDataCount() > 0);
        } catch (InvalidProtocolBufferException e) {
            return false;
        }
    }

    private static void checkFeatures(Model<?> model, OnnxEncoder encoder, String path) {
        Set<String> expected = Set.of(featureNames(encoder.dimension()));
        TreeSet<String> found = new TreeSet<>(model.getFeatureIDMap().keySet());
        Set<String> hashes = EncoderFacts.of(model.getProvenance(), ENCODER_HASH);
        boolean same = hashes.contains(encoder.sha256());
        if (!hashes.isEmpty() && !same) {
            throw new IllegalArgumentException("The model was trained on features of the encoder with SHA-256 "
                    + String.join(", ", hashes) + ", found " + path + " with SHA-256 " + encoder.sha256());
        }
        // A model of this very encoder may have left out features; of another origin, that is a model of another encoder.
        if (!expected.containsAll(found) || found.isEmpty() || !same && found.size() < expected.size()) {
            throw new IllegalArgumentException("Expected a model of the " + expected.size() + " features "
                    + new TreeSet<>(expected).first() + " to " + new TreeSet<>(expected).last() + " of the encoder " + path
                    + ", found one of " + found.size()
                    + (found.isEmpty() ? "" : ", " + found.first() + " to " + found.last()));
        }
    }

    /** Not asked of saved models: earlier versions took one that learnt from several. */
    private static void checkOneEncoder(Model<?> model, OnnxEncoder encoder, String path) {
        Set<String> hashes = EncoderFacts.of(model.getProvenance(), ENCODER_HASH);
        if (hashes.size() > 1) {
            throw new IllegalArgumentException("Expected a model of features of the encoder " + path + " with SHA-256 "
                    + encoder.sha256() + " alone, found one of several encoders, " + String.join(", ", hashes)
                    + ": train it on features of one");
        }
    }

    private static Set<String> statedSettings(Model<?> model) {
        return EncoderFacts.of(model.getProvenance(), SimCLRFeatureExtractor.ExtractorProvenance.SETTINGS);
    }

    private static String text(OnnxEncoder encoder) {
        return SimCLRFeatureExtractor.settings(encoder.settings(), EncoderSettings.Value::text);
    }

    private static void checkSettings(Model<?> model, OnnxEncoder alone, String path) {
        for (String there : statedSettings(model)) {
            if (!EncoderFacts.withoutSources(there).equals(text(alone))) {
                throw new IllegalArgumentException("The model was trained on features that " + path + " gave with the settings "
                        + there + ", found " + text(alone) + " from the file alone" + FIX);
            }
        }
    }

    /** A provenance without settings can't tell whether what an extractor finds beside the file was used. */
    private static void checkBeside(Model<?> model, OnnxEncoder alone, Path file) throws IOException {
        // An encoder of ours does not look beside itself.
        boolean ours = Preprocessing.RULE.equals(alone.metadata().get("resize"));
        if (!ours && statedSettings(model).isEmpty()) {
            try (OnnxEncoder beside = OnnxEncoder.open(file, 1)) {
                checkSame(alone, beside, file.toString(), EncoderSettings.PREPROCESSOR_CONFIG + " beside it says");
            }
        }
        checkNormalised(model, alone, file.toString());
    }

    private static void checkNormalised(Model<?> model, OnnxEncoder alone, String path) {
        List<String> assumed = Stream.of("mean", "std").filter(name -> {
            EncoderSettings.Value value = alone.settings().values().get(name);
            return value != null && value.source().equals("default");
        }).toList();
        if (!assumed.isEmpty() && statedSettings(model).isEmpty()) {
            throw new IllegalArgumentException(path + " does not say its " + String.join(" and ", assumed) + ", and the model"
                    + " does not say which its features were made with" + FIX + "; if it takes values from 0 to 1, give the"
                    + " extractor to EncodedModel.containing(extractor, model)");
        }
    }

    private static void checkSame(OnnxEncoder alone, OnnxEncoder used, String path, String who) {
        if (!alone.sha256().equals(used.sha256())) {
            throw new IllegalArgumentException(path + " has changed since the extractor opened it: its SHA-256 was "
                    + used.sha256() + " and is " + alone.sha256());
        }
        boolean same = alone.preprocessing().equals(used.preprocessing())
                && Stream.of("input", "output", "layout", "pooling")
                        .allMatch(name -> alone.settings().get(name).equals(used.settings().get(name)));
        if (!same) {
            throw new IllegalArgumentException("Features of " + path + " may have been made with other settings than it has"
                    + " inside: " + who + " " + text(used) + ", found " + text(alone) + " from the file alone" + FIX);
        }
    }

    private static ModelProvenance provenance(Model<?> model, OnnxEncoder encoder) {
        ModelProvenance inner = model.getProvenance();
        Map<String, Provenance> instance = new HashMap<>(inner.getInstanceProvenance().getMap());
        encoder.metadata().forEach((key, value) -> put(instance, ENCODER_PREFIX + key, value));
        put(instance, ENCODER_HASH, encoder.sha256());
        put(instance, PREPROCESSING, encoder.preprocessing().rule());
        put(instance, INNER_CLASS, model.getClass().getName());
        return new ModelProvenance(EncodedModel.class.getName(), inner.getTrainingTime(), inner.getDatasetProvenance(),
                inner.getTrainerProvenance(), instance);
    }

    private static void put(Map<String, Provenance> map, String key, String value) {
        map.put(key, new StringProvenance(key, value));
    }

    /** As {@link SimCLRFeatureExtractor#featureNames} names them. */
    static String[] featureNames(int dimension) {
        return ImageFeatureExtractor.names("h", dimension);
    }

    /** As {@link PixelFeatureExtractor#featureNames} names them. */
    private static ImmutableFeatureMap pixelDomain(Preprocessing p) {
        MutableFeatureMap map = new MutableFeatureMap();
        for (String name : ImageFeatureExtractor.names("p", 3 * p.height() * p.width())) {
            map.put(new CategoricalInfo(name));
        }
        return new ImmutableFeatureMap(map);
    }

    /**
     * Loads a saved model; as {@link Model#deserializeFromFile}, with the reason itself as the exception if it fails.
     *
     * @throws IOException if the file is no encoded model, or the encoder that it refers to is missing or changed
     */
    public static EncodedModel<?> load(Path file) throws IOException {
        return load(file, null);
    }

    /**
     * Loads a saved model whose encoder file has moved.
     *
     * @param file the saved model
     * @param encoder the encoder; it must be the very file that the model was made with. Null for where it was
     * @throws IOException if the file is no encoded model, or the encoder is missing or another
     */
    public static EncodedModel<?> load(Path file, Path encoder) throws IOException {
        try {
            ModelProto proto = ModelProto.parseFrom(Files.readAllBytes(file));
            if (!proto.getClassName().equals(EncodedModel.class.getName())) {
                throw new IOException("expected an " + EncodedModel.class.getSimpleName() + ", found "
                        + (proto.getClassName().isEmpty() ? "no model of Tribuo's" : proto.getClassName()));
            }
            return fromProto(proto.getVersion(), proto.getSerializedData(), encoder);
        } catch (IOException | RuntimeException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
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
        return fromProto(version, message, null);
    }

    private static EncodedModel<?> fromProto(int version, Any message, Path elsewhere) throws IOException {
        if (version < 0 || version > CURRENT_VERSION) {
            throw new IllegalArgumentException("Unknown version " + version
                    + ", this class supports at most version " + CURRENT_VERSION);
        }
        EncodedModelProto proto = unpack(message);
        ModelDataCarrier<?> carrier = ModelDataCarrier.deserialize(proto.getMetadata());
        boolean inside = !proto.getEncoder().isEmpty();
        String path = elsewhere == null ? proto.getEncoderPath() : elsewhere.toString();
        byte[] encoder = inside
                ? proto.getEncoder().toByteArray()
                : readUnchanged(Path.of(path), proto.getEncoderSha256());
        if (inside && !Sha256.hex(encoder).equals(proto.getEncoderSha256())) {
            throw new IOException("the encoder inside is damaged: its SHA-256 is not " + proto.getEncoderSha256());
        }
        // It may have been saved on a machine of more processors.
        int threads = Math.min(proto.getThreads(), RuntimeSettings.maxThreads());
        return typed(OutputFactory.deserialize(proto.getOutputFactory()), Model.deserialize(proto.getModel()), encoder,
                inside, path, threads, carrier);
    }

    private static <T extends Output<T>> EncodedModel<T> typed(
            OutputFactory<T> factory, Model<?> model, byte[] encoder, boolean inside, String path, int threads,
            ModelDataCarrier<?> carrier) throws IOException {
        @SuppressWarnings("unchecked") // The class of an output of this type.
        Class<T> type = (Class<T>) factory.getUnknownOutput().getClass();
        return create(factory, model.castModel(type), encoder, inside, path, threads, carrier, alone -> { });
    }

    private static EncodedModelProto unpack(Any message) throws IOException {
        try {
            return message.unpack(EncodedModelProto.class);
        } catch (InvalidProtocolBufferException e) {
            throw new IOException("damaged model: " + e.getMessage(), e);
        }
    }

    private static byte[] readUnchanged(Path encoder, String sha256) throws IOException {
        String fix = "; put the encoder with SHA-256 " + sha256 + " there, or name it to EncodedModel.load";
        if (!Files.isRegularFile(encoder)) {
            throw new IOException("the encoder " + encoder + " is missing" + fix);
        }
        byte[] bytes = Files.readAllBytes(encoder);
        String found = Sha256.hex(bytes);
        if (!found.equals(sha256)) {
            throw new IOException("the encoder " + encoder + " has changed: its SHA-256 is now " + found + fix);
        }
        return bytes;
    }

    @Override
    public ModelProto serialize() {
        EncodedModelProto.Builder model = EncodedModelProto.newBuilder()
                // The pixels' domain follows from the encoder and would be the larger part of a small model's file.
                .setMetadata(new ModelDataCarrier<>(name, provenance, innerModel.getFeatureIDMap(), outputIDInfo,
                        generatesProbabilities, provenance.getTribuoVersion()).serialize())
                .setOutputFactory(outputFactory.serialize())
                .setModel(innerModel.serialize())
                .setEncoderPath(encoderPath)
                .setEncoderSha256(encoder.sha256())
                .setThreads(threads);
        if (encoderFile != null) {
            model.setEncoder(ByteString.copyFrom(encoderFile));
        }
        return ModelProto.newBuilder()
                .setSerializedData(Any.pack(model.build()))
                .setClassName(EncodedModel.class.getName())
                .setVersion(CURRENT_VERSION)
                .build();
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
        List<Prediction<T>> inner = predictFeatures(encoder.embed(pixels.flip()), i -> PixelFeatureExtractor.name(examples.get(i)));
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
        Prediction<T> prediction = predictFeatures(encoder.embed(List.of(Images.read(image))), i -> image.toString()).get(0);
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
            predictions.addAll(predictFeatures(encoder.embed(part), i -> "image " + (first + i)));
        }
        return predictions;
    }

    private List<Prediction<T>> predictFeatures(float[][] embeddings, IntFunction<String> name) {
        List<Example<T>> examples = new ArrayList<>(embeddings.length);
        for (int i = 0; i < embeddings.length; i++) {
            double[] features = new double[names.length];
            for (int j = 0; j < names.length; j++) {
                features[j] = embeddings[i][j];
                if (!Double.isFinite(features[j])) {
                    throw new IllegalStateException("The encoder " + encoderPath + " gives " + features[j] + " as "
                            + names[j] + " of " + name.apply(i) + ": it is damaged, or has weights that are not finite");
                }
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
            return new EncodedModel<>(newName, newProvenance, outputFactory, innerModel.copy(), encoderFile, encoderPath,
                    threads, OnnxEncoder.open(encoderBytes(), encoderPath, threads));
        } catch (IOException e) {
            throw new IllegalStateException("Can't copy the model: " + e.getMessage(), e);
        }
    }

    private byte[] encoderBytes() throws IOException {
        return encoderFile != null ? encoderFile : readUnchanged(Path.of(encoderPath), encoder.sha256());
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
        OnnxMl.ModelProto file = OnnxMl.ModelProto.parseFrom(encoderBytes());
        String used = encoder.settings().get("output").orElseThrow();
        if (file.getGraph().getOutputList().stream().noneMatch(o -> o.getName().equals(used))) {
            throw new IllegalArgumentException("The features are the value " + used + " inside " + encoderPath
                    + ", expected an output: export the encoder with that value as its output");
        }
        return OnnxStitcher.stitch(file, innerModel, provenance, domain, modelVersion, input);
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
