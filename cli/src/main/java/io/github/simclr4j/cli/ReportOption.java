// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Option of the commands that write a report. */
final class ReportOption {
    @Option(
            names = "--report",
            paramLabel = "FILE",
            description = "Also write an HTML report, FILE.html: a single file that opens without a network.")
    Path report;
}
