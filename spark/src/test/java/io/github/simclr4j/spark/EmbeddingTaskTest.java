// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The threads of the session that the tasks of an executor share. */
class EmbeddingTaskTest {
    /** The name of the threads that open a session, which the native threads inherit. */
    private static final String OPENER = "opens-session";

    @TempDir
    private Path dir;

    private static SparkConf conf(String master, int cores) {
        SparkConf conf = new SparkConf(false).setMaster(master);
        return cores == 0 ? conf : conf.set("spark.executor.cores", String.valueOf(cores));
    }

    @ParameterizedTest
    @CsvSource({
        // With one CPU a task has no thread but its own.
        "'local[2]', 0, 1, 1",
        "yarn, 16, 1, 1",
        // Four tasks of four CPUs: their own threads and twelve more.
        "yarn, 16, 4, 13",
        "'local[16]', 0, 4, 13",
        "'local[4,3]', 0, 2, 3",
        "'k8s://host', 7, 2, 4",
        // One task, or an unknown number of them.
        "local, 0, 1, 1",
        "'spark://host:7077', 0, 4, 4",
        "yarn, 2, 4, 4",
    })
    void theTasksThatRunAtOnceHaveTheirCpusTogether(String master, int cores, int cpus, int threads) {
        assertEquals(threads, EmbeddingTask.threads(conf(master, cores), cpus));
    }

    @Test
    void threadsAreNotMoreThanOnnxRuntimeBears() {
        assertEquals(RuntimeSettings.maxThreads(), EmbeddingTask.threads(conf("yarn", 100_000), 50));
    }

    /** Counts the threads of the operating system: three tasks of three CPUs call the encoder with 3 threads and share 6. */
    @Test
    void aSessionHasTheThreadsThatItsTasksDoNotHave() throws Exception {
        assumeTrue(Files.isDirectory(Path.of("/proc/self/task")), "skipped: threads are counted on Linux only");
        EncoderFile file = EncoderFile.read(
                new org.apache.hadoop.fs.Path(
                        Samples.encoder(dir.resolve("encoder.onnx"), 31).toString()),
                Map.of(),
                new Configuration());
        ExecutorService opener = Executors.newSingleThreadExecutor(task -> new Thread(task, OPENER));
        try (EncoderSessions.Lease lease = opener.submit(() -> EncoderSessions.lease(
                        file, RuntimeSettings.DEFAULT.withThreads(EmbeddingTask.threads(conf("local[9]", 0), 3))))
                .get()) {
            assertTrue(lease.encoder().dimension() > 1);
            assertEquals(6, nativeThreads());
        } finally {
            opener.shutdownNow();
        }
    }

    /** Returns the number of threads with the opener's name, without the opener. */
    private static long nativeThreads() throws IOException {
        try (Stream<Path> threads = Files.list(Path.of("/proc/self/task"))) {
            return threads.filter(EmbeddingTaskTest::isNamedAsTheOpener).count() - 1;
        }
    }

    private static boolean isNamedAsTheOpener(Path thread) {
        try {
            return Files.readString(thread.resolve("comm")).strip().equals(OPENER);
        } catch (IOException e) {
            // The thread has ended.
            return false;
        }
    }
}
