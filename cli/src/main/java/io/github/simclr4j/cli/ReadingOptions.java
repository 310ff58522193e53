// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import picocli.CommandLine.Option;

/** Which images are read for a training, and how. */
final class ReadingOptions {
    @Option(
            names = "--limit",
            paramLabel = "N",
            defaultValue = "0",
            description = "At most N images, chosen at random by the seed; 0 for all (default: ${DEFAULT-VALUE}).")
    int limit;

    @Option(
            names = "--memory",
            paramLabel = "MB",
            defaultValue = "0",
            description =
                    "Megabytes that the decoded images may take; a set that does not fit is decoded anew in every epoch, at"
                            + " most so many ahead; 0 for what Java's heap has room for, or half of that ahead (default:"
                            + " ${DEFAULT-VALUE}).")
    int megabytes;

    @Option(
            names = "--decoders",
            paramLabel = "N",
            defaultValue = "0",
            description = "Threads that decode ahead; 0 for one a core (default: ${DEFAULT-VALUE}).")
    int decoders;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a number is negative, or there are more threads than a machine like this can use
     */
    void check() {
        Command.threads("--decoders", decoders);
        if (limit < 0 || megabytes < 0) {
            throw new IllegalArgumentException(
                    "--limit and --memory must be at least 0, found " + limit + " and " + megabytes);
        }
    }
}
