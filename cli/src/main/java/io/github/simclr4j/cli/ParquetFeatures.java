// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.util.TemporaryFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.conf.ParquetConfiguration;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.OutputFile;
import org.apache.parquet.io.PositionOutputStream;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.RecordConsumer;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;

/**
 * Writes features as Apache Parquet: a string {@code path} and a list of floats {@code features}, uncompressed because
 * mantissas hardly compress. Parquet's own library writes the file; parquet-floor replaces the Hadoop classes that it
 * refers to.
 */
// Parquet still requires methods for Hadoop that it has deprecated.
@SuppressWarnings("deprecation")
final class ParquetFeatures implements FeatureFile {
    private static final MessageType SCHEMA = MessageTypeParser.parseMessageType("message features {"
            + " required binary path (STRING);"
            + " required group features (LIST) { repeated group list { required float element; } } }");

    private final Path file;
    private final TemporaryFile part;
    private final ParquetWriter<Row> writer;

    private record Row(String name, float[] features) {}

    ParquetFeatures(Path file, Map<String, String> about) throws IOException {
        this.file = file;
        part = TemporaryFile.beside(file);
        writer = new Builder(new Output(part), about)
                .withConf(new PlainParquetConfiguration())
                .withCompressionCodec(CompressionCodecName.UNCOMPRESSED)
                .withDictionaryEncoding(false)
                .build();
    }

    @Override
    public void add(String name, String label, float[] features) throws IOException {
        writer.write(new Row(name, features));
    }

    @Override
    public void finish() throws IOException {
        writer.close();
        part.force();
        part.moveTo(file);
    }

    @Override
    public void close() throws IOException {
        // An unfinished writer holds only memory.
        part.close();
    }

    private static final class Builder extends ParquetWriter.Builder<Row, Builder> {
        private final Map<String, String> about;

        Builder(OutputFile out, Map<String, String> about) {
            super(out);
            this.about = about;
        }

        @Override
        protected Builder self() {
            return this;
        }

        @Override
        protected WriteSupport<Row> getWriteSupport(Configuration none) {
            return new Support(about);
        }

        @Override
        protected WriteSupport<Row> getWriteSupport(ParquetConfiguration none) {
            return new Support(about);
        }
    }

    private static final class Support extends WriteSupport<Row> {
        private final Map<String, String> about;
        private RecordConsumer consumer;

        Support(Map<String, String> about) {
            this.about = about;
        }

        @Override
        public WriteContext init(Configuration none) {
            return new WriteContext(SCHEMA, about);
        }

        @Override
        public WriteContext init(ParquetConfiguration none) {
            return new WriteContext(SCHEMA, about);
        }

        @Override
        public void prepareForWrite(RecordConsumer recordConsumer) {
            consumer = recordConsumer;
        }

        @Override
        public void write(Row row) {
            consumer.startMessage();
            consumer.startField("path", 0);
            consumer.addBinary(Binary.fromString(row.name()));
            consumer.endField("path", 0);
            consumer.startField("features", 1);
            consumer.startGroup();
            consumer.startField("list", 0);
            for (float f : row.features()) {
                consumer.startGroup();
                consumer.startField("element", 0);
                consumer.addFloat(f);
                consumer.endField("element", 0);
                consumer.endGroup();
            }
            consumer.endField("list", 0);
            consumer.endGroup();
            consumer.endField("features", 1);
            consumer.endMessage();
        }
    }

    /** Adapts a temporary file to Parquet. */
    private record Output(TemporaryFile part) implements OutputFile {
        @Override
        public PositionOutputStream create(long blockSizeHint) {
            return new PositionOutputStream() {
                private long position;

                @Override
                public long getPos() {
                    return position;
                }

                @Override
                public void write(int b) throws IOException {
                    part.stream().write(b);
                    position++;
                }

                @Override
                public void write(byte[] bytes, int offset, int length) throws IOException {
                    part.stream().write(bytes, offset, length);
                    position += length;
                }
            };
        }

        @Override
        public PositionOutputStream createOrOverwrite(long blockSizeHint) {
            return create(blockSizeHint);
        }

        @Override
        public boolean supportsBlockSize() {
            return false;
        }

        @Override
        public long defaultBlockSize() {
            return 0;
        }

        @Override
        public String getPath() {
            return part.path().toString();
        }
    }
}
