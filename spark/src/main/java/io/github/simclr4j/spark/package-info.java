/**
 * Embeddings on Apache Spark: {@link io.github.simclr4j.spark.ImageEmbedder} is a transformer of Spark's pipelines, and
 * {@link io.github.simclr4j.spark.DatasetDataSource} brings its rows to Tribuo.
 */
package io.github.simclr4j.spark;
