// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import java.io.IOException;
import java.util.Iterator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.util.SerializableConfiguration;

/** Embeds the rows of a partition on an executor, with what Spark has assigned to the task. */
final class EmbeddingTask {
    private static final Pattern LOCAL = Pattern.compile("local(?:\\[(\\d+|\\*)(?:,.*)?])?");

    private EmbeddingTask() {}

    /** Returns the function for a partition, which captures nothing but the arguments. */
    static MapPartitionsFunction<Row, Row> of(
            Plan plan,
            EncoderFile.Header encoder,
            Broadcast<byte[]> bytes,
            Broadcast<SerializableConfiguration> hadoop) {
        return rows -> embed(rows, plan, new EncoderFile(encoder, bytes.value()), hadoop.value());
    }

    static Iterator<Row> embed(Iterator<Row> rows, Plan plan, EncoderFile encoder, SerializableConfiguration hadoop)
            throws IOException {
        TaskContext task = TaskContext.get();
        int cpus = task.cpus();
        String where = plan.provider();
        if (where.equals("cuda") && task.resourcesJMap().containsKey("gpu")) {
            where += ":" + task.resourcesJMap().get("gpu").addresses()[0];
        }
        EncoderSessions.Lease lease = EncoderSessions.lease(
                encoder,
                RuntimeSettings.DEFAULT
                        .withThreads(threads(SparkEnv.get().conf(), cpus))
                        .withProvider(where)
                        .withBatch(plan.batch()));
        // Listeners are called, the last one first, also if the task fails or is killed, or if the job needs only some
        // of the rows.
        task.addTaskCompletionListener(done -> {
            lease.close();
        });
        EmbeddedRows embedded = new EmbeddedRows(rows, plan, lease, cpus, hadoop.value());
        task.addTaskCompletionListener(done -> {
            embedded.close();
        });
        return embedded;
    }

    /**
     * Returns the number of threads for the session that all tasks of an executor share. A session for n threads has n - 1 of its own, and
     * each call adds the thread of its task. So {@code tasks * (cpus - 1) + 1} gives each of the tasks that run at once {@code cpus}
     * threads. The number of tasks is that of one where the cores of the executor are not known.
     *
     * @param conf Spark's configuration in the executor
     * @param cpus number of CPUs of a task
     */
    static int threads(SparkConf conf, int cpus) {
        int tasks = Math.max(1, cores(conf) / cpus);
        return (int) Math.min(RuntimeSettings.maxThreads(), tasks * (cpus - 1L) + 1);
    }

    /** Returns the number of cores of an executor, or 0 if it is not known, as in a standalone cluster without the setting. */
    private static int cores(SparkConf conf) {
        Matcher local = LOCAL.matcher(conf.get("spark.master", ""));
        if (!local.matches()) {
            return conf.getInt("spark.executor.cores", 0);
        }
        String cores = local.group(1);
        return cores == null
                ? 1
                : cores.equals("*") ? Runtime.getRuntime().availableProcessors() : Integer.parseInt(cores);
    }
}
