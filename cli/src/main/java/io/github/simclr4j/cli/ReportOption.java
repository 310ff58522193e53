// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The option of commands that write a report. */
final class ReportOption {
    @Option(
            names = "--report",
            paramLabel = "FILE",
            description = "Also a page to look at, FILE.html, which holds everything that it"
                    + " shows and opens without a network.")
    Path report;
}
