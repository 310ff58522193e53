// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** Runs a saved pipeline in a process of its own, and writes a line an image: path, prediction, features. */
final class FreshJvm {
    private FreshJvm() {}

    public static void main(String[] args) throws IOException {
        SparkSession spark = LocalSpark.SESSION;
        PipelineModel model = PipelineModel.load(args[0]);
        List<Row> rows = model.transform(Samples.files(Path.of(args[1]), 2))
                .select("path", "prediction", "features")
                .collectAsList();
        Files.write(Path.of(args[2]), rows.stream().map(FreshJvm::line).sorted().toList());
        spark.stop();
    }

    static String line(Row row) {
        return row.getString(0) + " " + row.getDouble(1) + " " + ((Vector) row.get(2)).toDense();
    }
}
