// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A session with Kryo as its serializer, for which another process is needed. */
@Tag("slow")
class KryoTest {
    @Test
    void imagesAreEmbeddedUnderKryoAlsoIfItTakesOnlyRegisteredClasses(@TempDir Path dir) throws Exception {
        Path images = Samples.images(dir.resolve("images"), 2);
        Path encoder = Samples.encoder(dir.resolve("encoder.onnx"), 1);
        Dataset<Row> files = Samples.files(images, 2);
        PipelineModel model = new Pipeline()
                .setStages(new PipelineStage[] {new ImageEmbedder().setEncoder(encoder.toString())})
                .fit(files);
        Path saved = dir.resolve("pipeline");
        model.write().save(saved.toString());
        List<String> kryo = List.of(
                "-Dspark.serializer=org.apache.spark.serializer.KryoSerializer",
                "-Dspark.kryo.registrationRequired=true");
        assertEquals(
                FreshJvm.lines(model.transform(files), "path,features"),
                FreshJvm.run(kryo, saved, images, "path,features"));
    }
}
