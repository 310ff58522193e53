package io.github.simclr4j.spark;

import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.Provider;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkContext;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.ml.Transformer;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.param.StringArrayParam;
import org.apache.spark.ml.util.DefaultParamsReadable;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.MetadataBuilder;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;

/**
 * A transformer that adds the embeddings of images, made by an encoder file, as a column. The images are the bytes of image files, as
 * {@code spark.read().format("binaryFile")} has them in its column {@code content}, or their paths in any file system that Hadoop
 * knows. Rows keep their order within a partition.
 *
 * <p>The encoder is sent to each executor once, where one session of ONNX Runtime serves all tasks, with as many threads for a call as
 * {@code spark.task.cpus} says. A saved pipeline holds the encoder.
 *
 * <pre>{@code
 * ImageEmbedder embedder = new ImageEmbedder().setEncoder("s3a://models/encoder.onnx").setOutputType("vector");
 * Pipeline pipeline = new Pipeline().setStages(new PipelineStage[] {embedder, new LogisticRegression()});
 * }</pre>
 */
public final class ImageEmbedder extends Transformer implements DefaultParamsWritable {
    /** The key of the encoder's SHA-256 in the metadata of the output column. */
    public static final String ENCODER_SHA256 = "simclr4j.encoder.sha256";

    private static final long serialVersionUID = 1;
    private static final String ENCODER_FOLDER = "encoder";

    private final String uid;
    private final Param<String> inputCol;
    private final Param<String> outputCol;
    private final Param<String> errorCol;
    private final Param<String> nameCol;
    private final Param<String> encoder;
    private final StringArrayParam encoderSettings;
    private final Param<String> outputType;
    private final Param<String> onUnreadable;
    private final Param<String> provider;
    private final IntParam batchSize;

    /** What was read of the encoder's file; null if it is to be read yet. */
    private transient EncoderFile file;
    /** The value of the param that {@link #file} was read for. */
    private transient String origin;
    /** The encoder on the executors of a context. */
    private transient Broadcast<EncoderFile> shipped;
    private transient SparkContext shippedBy;

    /** Makes a transformer with a random identifier. */
    public ImageEmbedder() {
        this(Identifiable$.MODULE$.randomUID("imageEmbedder"));
    }

    /**
     * Makes a transformer.
     *
     * @param uid names this stage in a pipeline
     */
    public ImageEmbedder(String uid) {
        this.uid = uid;
        // A param asks for the identifier.
        inputCol = new Param<>(this, "inputCol", "column of image files' bytes, or of their paths");
        outputCol = new Param<>(this, "outputCol", "column that the embeddings go to");
        errorCol = new Param<>(this, "errorCol", "column for why an image could not be read; empty for none");
        nameCol = new Param<>(this, "nameCol", "column that names an image in errors, if it is there");
        encoder = new Param<>(this, "encoder", "path of the encoder (ONNX), in any Hadoop file system");
        encoderSettings = new StringArrayParam(this, "encoderSettings", "what the encoder's file does not say of itself, as name=value");
        outputType = new Param<>(this, "outputType", "array (of floats) or vector");
        onUnreadable = new Param<>(this, "onUnreadable", "fail, null or drop");
        provider = new Param<>(this, "provider", "ONNX Runtime's execution provider, such as cpu or cuda");
        batchSize = new IntParam(this, "batchSize", "images that go through the graph at once; 0 for a fitting number");
        setDefault(inputCol, "content");
        setDefault(outputCol, "features");
        setDefault(errorCol, "");
        setDefault(nameCol, "path");
        setDefault(encoderSettings, new String[0]);
        setDefault(outputType, "array");
        setDefault(onUnreadable, Plan.FAIL);
        setDefault(provider, "cpu");
        setDefault(batchSize, 0);
    }

    @Override
    public String uid() {
        return uid;
    }

    /** The column of the images: bytes or paths; {@code content} by default. */
    public Param<String> inputCol() {
        return inputCol;
    }

    /** Returns the column of the images. */
    public String getInputCol() {
        return $(inputCol);
    }

    /** Sets the column of the images: binary, the bytes of image files, or string, their paths. */
    public ImageEmbedder setInputCol(String value) {
        return with(inputCol, value);
    }

    /** The column of the embeddings; {@code features} by default. */
    public Param<String> outputCol() {
        return outputCol;
    }

    /** Returns the column of the embeddings. */
    public String getOutputCol() {
        return $(outputCol);
    }

    /** Sets the column of the embeddings. */
    public ImageEmbedder setOutputCol(String value) {
        return with(outputCol, value);
    }

    /** The column for errors; none by default. */
    public Param<String> errorCol() {
        return errorCol;
    }

    /** Returns the column for errors, empty for none. */
    public String getErrorCol() {
        return $(errorCol);
    }

    /** Sets the column that says why an image could not be read, and is null elsewhere; empty for none. */
    public ImageEmbedder setErrorCol(String value) {
        return with(errorCol, value);
    }

    /** The column that names images; {@code path} by default. */
    public Param<String> nameCol() {
        return nameCol;
    }

    /** Returns the column that names images. */
    public String getNameCol() {
        return $(nameCol);
    }

    /** Sets the column that names an image in errors; it need not be there. */
    public ImageEmbedder setNameCol(String value) {
        return with(nameCol, value);
    }

    /** The path of the encoder. */
    public Param<String> encoder() {
        return encoder;
    }

    /** Returns the path that the encoder was first read from. */
    public String getEncoder() {
        return $(encoder);
    }

    /** Sets the path of the encoder, an ONNX file in any file system that Hadoop knows. */
    public ImageEmbedder setEncoder(String value) {
        forget();
        return with(encoder, value);
    }

    /** The settings of a foreign encoder; none by default. */
    public StringArrayParam encoderSettings() {
        return encoderSettings;
    }

    /** Returns the settings of a foreign encoder, each as {@code name=value}. */
    public String[] getEncoderSettings() {
        return $(encoderSettings);
    }

    /**
     * Sets what the encoder's file does not say of itself, each as {@code name=value}.
     *
     * @param value with the names of {@link EncoderSettings}, such as {@code mean=0.485,0.456,0.406}
     */
    public ImageEmbedder setEncoderSettings(String[] value) {
        forget();
        return with(encoderSettings, value.clone());
    }

    /** What embeddings are; {@code array} by default. */
    public Param<String> outputType() {
        return outputType;
    }

    /** Returns what embeddings are. */
    public String getOutputType() {
        return $(outputType);
    }

    /** Sets what embeddings are: {@code array}, of floats, or {@code vector}, as Spark's own stages take. */
    public ImageEmbedder setOutputType(String value) {
        return with(outputType, value);
    }

    /** What becomes of images that can't be read; {@code fail} by default. */
    public Param<String> onUnreadable() {
        return onUnreadable;
    }

    /** Returns what becomes of images that can't be read. */
    public String getOnUnreadable() {
        return $(onUnreadable);
    }

    /**
     * Sets what becomes of an image that can't be read: {@code fail} ends the job with a message that names it, {@code null} is its
     * embedding, or its row is {@code drop}ped.
     */
    public ImageEmbedder setOnUnreadable(String value) {
        return with(onUnreadable, value);
    }

    /** The execution provider; {@code cpu} by default. */
    public Param<String> provider() {
        return provider;
    }

    /** Returns the execution provider. */
    public String getProvider() {
        return $(provider);
    }

    /** Sets the execution provider; {@code cuda} takes the GPU that Spark has given to the task, if it has given one. */
    public ImageEmbedder setProvider(String value) {
        return with(provider, value);
    }

    /** Images that go through the graph at once; 0 by default. */
    public IntParam batchSize() {
        return batchSize;
    }

    /** Returns how many images go through the graph at once; 0 for a number that suits the encoder. */
    public int getBatchSize() {
        return (Integer) $(batchSize);
    }

    /** Sets how many images go through the graph at once; 0 for a number that suits the encoder. */
    public ImageEmbedder setBatchSize(int value) {
        set(batchSize, value);
        return this;
    }

    private <T> ImageEmbedder with(Param<T> param, T value) {
        set(param, value);
        return this;
    }

    private void forget() {
        file = null;
        shipped = null;
    }

    /**
     * Returns the SHA-256 of the encoder's file, in hexadecimal.
     *
     * @throws UncheckedIOException if it can't be read
     */
    public String encoderSha256(SparkContext context) {
        return file(context).sha256();
    }

    /**
     * Returns the schema with the column of embeddings, and that of errors if it has a name.
     *
     * @throws IllegalArgumentException if a column is missing, of another type, or there already, or a param has a wrong value
     */
    @Override
    public StructType transformSchema(StructType schema) {
        check("outputType", $(outputType), "array", "vector");
        check("onUnreadable", $(onUnreadable), Plan.FAIL, Plan.NULL, Plan.DROP);
        DataType input = schema.apply(schema.fieldIndex($(inputCol))).dataType();
        if (!input.equals(DataTypes.BinaryType) && !input.equals(DataTypes.StringType)) {
            throw new IllegalArgumentException("Column " + $(inputCol) + " must be binary (image files) or string (their paths), found "
                    + input.simpleString());
        }
        for (String column : new String[] {$(outputCol), $(errorCol)}) {
            if (Arrays.asList(schema.fieldNames()).contains(column)) {
                throw new IllegalArgumentException("Column " + column + " is there already: choose another name");
            }
        }
        boolean nullable = $(onUnreadable).equals(Plan.NULL);
        DataType type = isVector() ? SQLDataTypes.VectorType() : DataTypes.createArrayType(DataTypes.FloatType, false);
        StructType result = schema.add(new StructField($(outputCol), type, nullable, Metadata.empty()));
        return $(errorCol).isEmpty() ? result : result.add($(errorCol), DataTypes.StringType, true);
    }

    private static void check(String name, String value, String... choices) {
        if (!List.of(choices).contains(value)) {
            throw new IllegalArgumentException(name + " must be one of " + String.join(", ", choices) + ", found " + value);
        }
    }

    private boolean isVector() {
        return $(outputType).equals("vector");
    }

    /**
     * Adds the column of embeddings, and that of errors if it has a name. The encoder is read and tried now; the images are read when the
     * result is.
     *
     * @throws IllegalArgumentException if a column is missing, of another type, or there already, or a param has a wrong value
     * @throws UncheckedIOException if the encoder can't be read
     */
    @Override
    public Dataset<Row> transform(Dataset<?> dataset) {
        Dataset<Row> rows = dataset.toDF();
        StructType before = rows.schema();
        transformSchema(before, true);
        Provider.of($(provider));
        SparkContext context = rows.sparkSession().sparkContext();
        EncoderFile read = file(context);
        boolean paths = before.apply(before.fieldIndex($(inputCol))).dataType().equals(DataTypes.StringType);
        String name = paths ? $(inputCol) : $(nameCol);
        int named = Arrays.asList(before.fieldNames()).indexOf(name);
        if (named >= 0 && !before.apply(named).dataType().equals(DataTypes.StringType)) {
            named = -1;
        }
        Plan plan = new Plan(before.fieldIndex($(inputCol)), paths, named, isVector(), !$(errorCol).isEmpty(), $(onUnreadable),
                $(provider), getBatchSize());
        // Spark 3.5 has no SerializableConfiguration.broadcast.
        Broadcast<SerializableConfiguration> hadoop = context.broadcast(new SerializableConfiguration(context.hadoopConfiguration()),
                scala.reflect.ClassTag$.MODULE$.apply(SerializableConfiguration.class));
        return rows.mapPartitions(embedding(plan, ship(read, context), hadoop), Encoders.row(transformSchema(before)))
                .withMetadata($(outputCol), about(read));
    }

    /** Static, so that it does not take the transformer along. */
    private static MapPartitionsFunction<Row, Row> embedding(
            Plan plan, Broadcast<EncoderFile> encoder, Broadcast<SerializableConfiguration> hadoop) {
        return rows -> embed(rows, plan, encoder.value(), hadoop.value());
    }

    private static Iterator<Row> embed(Iterator<Row> rows, Plan plan, EncoderFile encoder, SerializableConfiguration hadoop)
            throws IOException {
        TaskContext task = TaskContext.get();
        int cpus = task.cpus();
        String where = plan.provider();
        if (where.equals("cuda") && task.resourcesJMap().containsKey("gpu")) {
            where += ":" + task.resourcesJMap().get("gpu").addresses()[0];
        }
        EncoderSessions.Lease lease = EncoderSessions.lease(encoder,
                RuntimeSettings.DEFAULT.withThreads(cpus).withProvider(where).withBatch(plan.batch()));
        EmbeddedRows embedded = new EmbeddedRows(rows, plan, lease.encoder(), cpus, hadoop.value());
        // Also where the rest of the job takes only some of the rows, or the task is killed.
        task.addTaskCompletionListener(done -> {
            embedded.close();
            lease.close();
        });
        return embedded;
    }

    private Metadata about(EncoderFile read) {
        MetadataBuilder builder = new MetadataBuilder().putString(ENCODER_SHA256, read.sha256());
        if (isVector()) {
            // What Spark's own stages look up the number of features in.
            builder.putMetadata("ml_attr", new MetadataBuilder().putLong("num_attrs", read.dimension()).build());
        }
        return builder.build();
    }

    /** The encoder; read if it is another than the last one. */
    private synchronized EncoderFile file(SparkContext context) {
        String path = $(encoder);
        if (file == null || !Objects.equals(origin, path)) {
            try {
                file = EncoderFile.read(new Path(path), settings(), context.hadoopConfiguration());
            } catch (IOException e) {
                throw new UncheckedIOException(e.getMessage(), e);
            }
            origin = path;
            shipped = null;
        }
        return file;
    }

    private Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        for (String text : $(encoderSettings)) {
            int equals = text.indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException("encoderSettings must be name=value, found " + text);
            }
            settings.put(text.substring(0, equals), text.substring(equals + 1));
        }
        return settings;
    }

    private synchronized Broadcast<EncoderFile> ship(EncoderFile read, SparkContext context) {
        if (shipped == null || shippedBy != context) {
            shipped = context.broadcast(read, scala.reflect.ClassTag$.MODULE$.apply(EncoderFile.class));
            shippedBy = context;
        }
        return shipped;
    }

    @Override
    public ImageEmbedder copy(ParamMap extra) {
        ImageEmbedder copy = defaultCopy(extra);
        if (Arrays.equals(copy.getEncoderSettings(), getEncoderSettings())) {
            copy.file = file;
            copy.origin = origin;
            copy.shipped = shipped;
            copy.shippedBy = shippedBy;
        }
        return copy;
    }

    /** Writes params and encoder. */
    @Override
    public MLWriter write() {
        MLWriter params = DefaultParamsWritable.super.write();
        return new MLWriter() {
            @Override
            public void saveImpl(String path) {
                EncoderFile saved = file(sc());
                try {
                    params.save(path);
                    saved.save(new Path(path, ENCODER_FOLDER), sc().hadoopConfiguration());
                } catch (IOException e) {
                    throw new UncheckedIOException(e.getMessage(), e);
                }
            }
        };
    }

    /** Reads what {@link #write} wrote. */
    public static MLReader<ImageEmbedder> read() {
        return new MLReader<>() {
            @Override
            public ImageEmbedder load(String path) {
                ImageEmbedder embedder = new Saved().read().load(path);
                try {
                    embedder.file = EncoderFile.load(new Path(path, ENCODER_FOLDER), sc().hadoopConfiguration());
                } catch (IOException e) {
                    throw new UncheckedIOException(e.getMessage(), e);
                }
                embedder.origin = embedder.getEncoder();
                return embedder;
            }
        };
    }

    /** Reads what {@link #write} wrote. */
    public static ImageEmbedder load(String path) {
        return read().load(path);
    }

    /** The params alone. */
    private static final class Saved implements DefaultParamsReadable<ImageEmbedder> {
        @Override
        public ImageEmbedder load(String path) {
            return read().load(path);
        }
    }
}
