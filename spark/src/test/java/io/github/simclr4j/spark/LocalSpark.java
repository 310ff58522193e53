// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import org.apache.spark.sql.SparkSession;

/** One session for all tests, with two task threads. */
final class LocalSpark {
    static final SparkSession SESSION = start();

    private LocalSpark() {}

    static SparkSession start() {
        return SparkSession.builder()
                .master("local[2]")
                .appName("simclr4j")
                .config("spark.ui.enabled", "false")
                .config("spark.driver.bindAddress", "127.0.0.1")
                .config("spark.driver.host", "127.0.0.1")
                .config("spark.sql.shuffle.partitions", "2")
                .config("spark.sql.warehouse.dir", System.getProperty("java.io.tmpdir"))
                .getOrCreate();
    }
}
