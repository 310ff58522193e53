// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The options that every command has. */
final class GlobalOptions {
    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Seed of everything random (default: ${DEFAULT-VALUE}).")
    long seed;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "Threads on the CPU; 0 leaves the choice to the libraries (default: ${DEFAULT-VALUE}).")
    int threads;

    @Option(
            names = "--device",
            paramLabel = "D",
            defaultValue = "${env:SIMCLR_DEVICE:-auto}",
            description = "auto, cpu, gpu or gpu:N, where an encoder is trained (default: ${DEFAULT-VALUE}).")
    String device;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the result to this file as one JSON object.")
    Path json;

    @Option(names = "--debug", description = "Show where an error came from.")
    boolean debug;
}
