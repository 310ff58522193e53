/** The reports of the commands, each made from the record that the command writes as JSON. */
package io.github.simclr4j.cli.report.page;
