// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import java.io.IOException;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.classification.LogisticRegression;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.tribuo.DataSource;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.classification.sgd.linear.LogisticRegressionTrainer;

/** The code on docs/spark.md, which is compiled here; {@link SparkPageTest} compares the two. */
final class SparkPage {
    private SparkPage() {}

    static Dataset<Row> embed(SparkSession spark) {
        Dataset<Row> files = spark.read()
                .format("binaryFile")
                .option("recursiveFileLookup", "true")
                .load("s3a://photos/");
        ImageEmbedder embedder = new ImageEmbedder()
                .setEncoder("s3a://models/encoder.onnx")
                .setOutputType("vector")
                .setOnUnreadable("null")
                .setErrorCol("error");
        Dataset<Row> features = embedder.transform(files);
        return features;
    }

    static void fit(ImageEmbedder embedder, Dataset<Row> labelled) throws IOException {
        Pipeline pipeline = new Pipeline().setStages(new PipelineStage[] {embedder, new LogisticRegression()});
        pipeline.fit(labelled).write().save("s3a://models/pipeline");
    }

    static Model<Label> train(Dataset<Row> features) {
        DataSource<Label> source = new DatasetDataSource<>(features, "features", "label", new LabelFactory());
        Model<Label> model = new LogisticRegressionTrainer().train(new MutableDataset<>(source));
        return model;
    }
}
