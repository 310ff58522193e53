// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Options of all commands. */
final class GlobalOptions {
    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Seed of all random choices (default: ${DEFAULT-VALUE}).")
    long seed;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "Number of CPU threads; 0 lets the libraries choose (default: ${DEFAULT-VALUE}).")
    int threads;

    @Option(
            names = "--device",
            paramLabel = "D",
            defaultValue = "${env:SIMCLR_DEVICE:-auto}",
            description = "Device for training: auto, cpu, gpu or gpu:N (default: ${DEFAULT-VALUE}).")
    String device;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the result to FILE as one JSON object.")
    Path json;

    @Option(names = "--debug", description = "Print the stack trace of an error.")
    boolean debug;
}
