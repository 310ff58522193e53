// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import picocli.CommandLine.Option;

/** Options that select the images of a training and say how they are read. */
final class ReadingOptions {
    @Option(
            names = "--limit",
            paramLabel = "N",
            defaultValue = "0",
            description = "Use at most N images, chosen at random by the seed; 0 for all (default: ${DEFAULT-VALUE}).")
    int limit;

    @Option(
            names = "--memory",
            paramLabel = "MB",
            defaultValue = "0",
            description = "Memory for decoded images in megabytes. A set that does not fit is decoded again in"
                    + " every epoch, with at most this much decoded ahead of the training. 0 uses the free part"
                    + " of the Java heap, or half of that for decoding ahead (default: ${DEFAULT-VALUE}).")
    int megabytes;

    @Option(
            names = "--decoders",
            paramLabel = "N",
            defaultValue = "0",
            description = "Number of threads that decode images ahead of the training; 0 for one per core (default:"
                    + " ${DEFAULT-VALUE}).")
    int decoders;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a number is negative, or there are more threads than this machine can use
     */
    void check() {
        Command.threads("--decoders", decoders);
        if (limit < 0 || megabytes < 0) {
            throw new IllegalArgumentException(
                    "--limit and --memory must be at least 0, found " + limit + " and " + megabytes);
        }
    }
}
