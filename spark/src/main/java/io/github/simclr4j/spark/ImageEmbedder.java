// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import io.github.simclr4j.onnx.runtime.EncoderSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.ml.Transformer;
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
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.MetadataBuilder;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;

/**
 * A Spark ML transformer that adds a column with the embeddings of images by an encoder in an ONNX file. The images are either the
 * bytes of image files, as in the column {@code content} of {@code spark.read().format("binaryFile")}, or their paths in any Hadoop
 * file system. Rows keep their order within a partition.
 *
 * <p>The encoder is sent to each executor once. There one ONNX Runtime session serves all tasks. Together with the tasks' own
 * threads it has {@code spark.task.cpus} threads for each task that the executor runs at once, if {@code spark.executor.cores} is set or
 * the master is local, and otherwise for one task. A saved pipeline contains the encoder.
 *
 * <p>{@code inputCol} and {@code nameCol} are resolved as elsewhere in Spark: {@code image.bytes} is a field of a structure, backquotes
 * enclose a name with dots, and {@code spark.sql.caseSensitive} applies.
 *
 * <pre>{@code
 * ImageEmbedder embedder = new ImageEmbedder().setEncoder("s3a://models/encoder.onnx").setOutputType("vector");
 * Pipeline pipeline = new Pipeline().setStages(new PipelineStage[] {embedder, new LogisticRegression()});
 * }</pre>
 *
 * @since 0.1.0
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

    /** The encoder, or null if it was not read yet. */
    private transient EncoderFile file;
    /** The path and the settings that {@link #file} was read with. */
    private transient Origin origin;
    /** The last encoder that was sent to executors, or null. */
    private transient Shipment shipped;

    /** The bytes of an encoder, as sent to the executors of a context. */
    private record Shipment(byte[] bytes, SparkContext context, Broadcast<byte[]> broadcast) {}

    private record Origin(String path, List<String> settings) {}

    /** Creates a transformer with a random identifier. */
    public ImageEmbedder() {
        this(Identifiable$.MODULE$.randomUID("imageEmbedder"));
    }

    /**
     * Creates a transformer.
     *
     * @param uid the unique identifier of this stage in a pipeline
     */
    public ImageEmbedder(String uid) {
        this.uid = uid;
        // Params read the identifier in their constructors.
        inputCol = new Param<>(this, "inputCol", "column with the bytes of image files, or with their paths");
        outputCol = new Param<>(this, "outputCol", "column for the embeddings");
        errorCol =
                new Param<>(this, "errorCol", "column for the reason why an image could not be read; empty for none");
        nameCol = new Param<>(this, "nameCol", "column with the names of images for error messages, if it exists");
        encoder = new Param<>(this, "encoder", "path of the encoder (ONNX) in any Hadoop file system");
        encoderSettings = new StringArrayParam(
                this, "encoderSettings", "settings that the encoder's file does not contain, as name=value");
        outputType = new Param<>(this, "outputType", "type of the embeddings: array (of floats) or vector");
        onUnreadable = new Param<>(this, "onUnreadable", "what to do with an unreadable image: fail, null or drop");
        provider = new Param<>(this, "provider", "execution provider of ONNX Runtime, such as cpu or cuda");
        batchSize = new IntParam(this, "batchSize", "number of images per run of the encoder; 0 for a suitable number");
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

    /** The column of the images, which contains bytes or paths. Default: {@code content}. */
    public Param<String> inputCol() {
        return inputCol;
    }

    /** Returns the column of the images. */
    public String getInputCol() {
        return $(inputCol);
    }

    /**
     * Sets the column of the images: binary for the bytes of image files, or string for their paths. It may be a field of a structure,
     * such as {@code image.bytes}.
     */
    public ImageEmbedder setInputCol(String value) {
        return with(inputCol, value);
    }

    /** The column of the embeddings. Default: {@code features}. */
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

    /** The column for errors. Default: none. */
    public Param<String> errorCol() {
        return errorCol;
    }

    /** Returns the column for errors, or an empty string for none. */
    public String getErrorCol() {
        return $(errorCol);
    }

    /** Sets the column for the reason why an image could not be read, which is null for readable images; empty for none. */
    public ImageEmbedder setErrorCol(String value) {
        return with(errorCol, value);
    }

    /** The column with the names of images. Default: {@code path}. */
    public Param<String> nameCol() {
        return nameCol;
    }

    /** Returns the column with the names of images. */
    public String getNameCol() {
        return $(nameCol);
    }

    /** Sets the column with the names of images for error messages. The column is optional. */
    public ImageEmbedder setNameCol(String value) {
        return with(nameCol, value);
    }

    /** The path of the encoder. */
    public Param<String> encoder() {
        return encoder;
    }

    /** Returns the path of the encoder; for a loaded transformer, the path before it was saved. */
    public String getEncoder() {
        return $(encoder);
    }

    /** Sets the path of the encoder, an ONNX file in any Hadoop file system. */
    public ImageEmbedder setEncoder(String value) {
        forget();
        return with(encoder, value);
    }

    /** Settings of an encoder that its file does not contain. Default: none. */
    public StringArrayParam encoderSettings() {
        return encoderSettings;
    }

    /** Returns the settings that the encoder's file does not contain, each as {@code name=value}. */
    public String[] getEncoderSettings() {
        return $(encoderSettings);
    }

    /**
     * Sets settings that the encoder's file does not contain, or that override it.
     *
     * @param value settings as {@code name=value}, with the names of {@link EncoderSettings}, such as {@code mean=0.485,0.456,0.406}
     */
    public ImageEmbedder setEncoderSettings(String[] value) {
        forget();
        return with(encoderSettings, value == null ? null : value.clone());
    }

    /** The type of the embeddings. Default: {@code array}. */
    public Param<String> outputType() {
        return outputType;
    }

    /** Returns the type of the embeddings. */
    public String getOutputType() {
        return $(outputType);
    }

    /** Sets the type of the embeddings: {@code array} for an array of floats, or {@code vector} for the input of Spark's own stages. */
    public ImageEmbedder setOutputType(String value) {
        return with(outputType, value);
    }

    /** The policy for images that can't be read. Default: {@code fail}. */
    public Param<String> onUnreadable() {
        return onUnreadable;
    }

    /** Returns the policy for images that can't be read. */
    public String getOnUnreadable() {
        return $(onUnreadable);
    }

    /**
     * Sets the policy for images that can't be read.
     *
     * @param value {@code fail} to end the job with a message that names the image, {@code null} to set the embedding to null, or
     *     {@code drop} to remove the row
     */
    public ImageEmbedder setOnUnreadable(String value) {
        return with(onUnreadable, value);
    }

    /** The execution provider. Default: {@code cpu}. */
    public Param<String> provider() {
        return provider;
    }

    /** Returns the execution provider. */
    public String getProvider() {
        return $(provider);
    }

    /** Sets the execution provider. With {@code cuda}, a task uses the GPU that Spark has assigned to it, if any. */
    public ImageEmbedder setProvider(String value) {
        return with(provider, value);
    }

    /** The number of images per run of the encoder. Default: 0, a number that suits the encoder. */
    public IntParam batchSize() {
        return batchSize;
    }

    /** Returns the number of images per run of the encoder; 0 stands for a number that suits the encoder. */
    public int getBatchSize() {
        return (Integer) $(batchSize);
    }

    /** Sets the number of images per run of the encoder; 0 chooses a number that suits the encoder. */
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
     * Returns the SHA-256 of the encoder's file.
     *
     * @param session the session whose file systems the encoder is read from
     * @return the hash in hexadecimal
     * @throws UncheckedIOException if the encoder can't be read
     */
    public String encoderSha256(SparkSession session) {
        return file(session).header().sha256();
    }

    /**
     * Returns the schema with the column of embeddings, and the column of errors if it is set. Needs an active Spark session, which
     * resolves the names of columns.
     *
     * @throws IllegalArgumentException if the image column is missing or has another type, if an output column exists already (also in
     *     another case, unless {@code spark.sql.caseSensitive} is true), or if a param is not set, is null or has an invalid value
     */
    @Override
    public StructType transformSchema(StructType schema) {
        return EmbeddedSchema.after(this, SparkSession.active().createDataFrame(List.of(), schema));
    }

    private boolean isVector() {
        return $(outputType).equals("vector");
    }

    /**
     * Adds the column of embeddings, and the column of errors if it is set. The encoder is read and tested now. The images are read when
     * the result is computed.
     *
     * @throws IllegalArgumentException if the image column is missing or has another type, if an output column exists already, or if a
     *     param is not set, is null or has an invalid value
     * @throws UncheckedIOException if the encoder can't be read
     */
    @Override
    public Dataset<Row> transform(Dataset<?> dataset) {
        Dataset<Row> rows = dataset.toDF();
        SparkSession session = rows.sparkSession();
        StructType after = EmbeddedSchema.after(this, rows);
        InputColumns columns = InputColumns.of(this, rows);
        EncoderFile read = file(session);
        Plan plan = new Plan(
                columns.width(),
                columns.image(),
                columns.paths(),
                columns.name(),
                isVector(),
                !$(errorCol).isEmpty(),
                $(onUnreadable),
                $(provider),
                getBatchSize());
        SparkContext context = session.sparkContext();
        // SerializableConfiguration.broadcast does not exist in Spark 3.5.
        Broadcast<SerializableConfiguration> hadoop = context.broadcast(
                new SerializableConfiguration(hadoop(session)),
                scala.reflect.ClassTag$.MODULE$.apply(SerializableConfiguration.class));
        return EmbeddedSchema.named(
                columns.rows()
                        .mapPartitions(
                                EmbeddingTask.of(plan, read.header(), ship(read, context), hadoop),
                                Encoders.row(EmbeddedSchema.numbered(after))),
                after,
                Map.of($(outputCol), about(read.header())));
    }

    /** Returns the configuration of the file systems, which includes what was set for the session. */
    private static Configuration hadoop(SparkSession session) {
        return session.sessionState().newHadoopConf();
    }

    private Metadata about(EncoderFile.Header encoder) {
        MetadataBuilder builder = new MetadataBuilder().putString(ENCODER_SHA256, encoder.sha256());
        if (isVector()) {
            // Spark's own stages read the number of features from this attribute.
            builder.putMetadata(
                    "ml_attr",
                    new MetadataBuilder()
                            .putLong("num_attrs", encoder.dimension())
                            .build());
        }
        return builder.build();
    }

    /** Returns the encoder, and reads it if its path or its settings have changed, by a setter or otherwise. */
    private synchronized EncoderFile file(SparkSession session) {
        EmbeddedSchema.defined(this);
        Origin now = origin();
        if (file == null || !now.equals(origin)) {
            try {
                file = EncoderFile.read(new Path(now.path()), settings(), hadoop(session));
            } catch (IOException e) {
                throw new UncheckedIOException(e.getMessage(), e);
            }
            origin = now;
            shipped = null;
        }
        return file;
    }

    private Origin origin() {
        return new Origin($(encoder), List.of($(encoderSettings)));
    }

    /** Returns the param {@code encoderSettings} by name. */
    Map<String, String> settings() {
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

    private synchronized Broadcast<byte[]> ship(EncoderFile read, SparkContext context) {
        if (shipped == null || shipped.bytes() != read.bytes() || shipped.context() != context) {
            shipped = new Shipment(
                    read.bytes(),
                    context,
                    context.broadcast(read.bytes(), scala.reflect.ClassTag$.MODULE$.apply(byte[].class)));
        }
        return shipped.broadcast();
    }

    @Override
    public ImageEmbedder copy(ParamMap extra) {
        ImageEmbedder copy = defaultCopy(extra);
        // The copy reads the encoder again if it has another path or other settings.
        copy.file = file;
        copy.origin = origin;
        copy.shipped = shipped;
        return copy;
    }

    /** Returns a writer for the params and the encoder. */
    @Override
    public MLWriter write() {
        MLWriter params = DefaultParamsWritable.super.write();
        return new MLWriter() {
            @Override
            public void save(String path) throws IOException {
                // Before the folder that is overwritten is deleted: the encoder may be missing, or in that folder.
                file(sparkSession());
                super.save(path);
            }

            @Override
            public void saveImpl(String path) {
                EncoderFile saved = file(sparkSession());
                try {
                    params.session(sparkSession()).save(path);
                    saved.save(new Path(path, ENCODER_FOLDER), hadoop(sparkSession()));
                } catch (IOException e) {
                    throw new UncheckedIOException(e.getMessage(), e);
                }
            }
        };
    }

    /** Returns a reader for transformers that {@link #write} has saved. */
    public static MLReader<ImageEmbedder> read() {
        return new MLReader<>() {
            @Override
            public ImageEmbedder load(String path) {
                ImageEmbedder embedder =
                        new Saved().read().session(sparkSession()).load(path);
                try {
                    embedder.file = EncoderFile.load(new Path(path, ENCODER_FOLDER), hadoop(sparkSession()));
                } catch (IOException e) {
                    throw new UncheckedIOException(e.getMessage(), e);
                }
                embedder.origin = embedder.origin();
                return embedder;
            }
        };
    }

    /**
     * Loads a transformer that {@link #write} has saved.
     *
     * @param path path of the saved transformer
     */
    public static ImageEmbedder load(String path) {
        return read().load(path);
    }

    /** Reads only the params. */
    private static final class Saved implements DefaultParamsReadable<ImageEmbedder> {
        @Override
        public ImageEmbedder load(String path) {
            return read().load(path);
        }
    }
}
