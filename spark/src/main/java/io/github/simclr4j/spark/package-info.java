// SPDX-License-Identifier: Apache-2.0
/**
 * Embeds images on Apache Spark. {@link io.github.simclr4j.spark.ImageEmbedder} is a transformer for Spark ML pipelines, and
 * {@link io.github.simclr4j.spark.DatasetDataSource} is a Tribuo data source of its output.
 */
package io.github.simclr4j.spark;
