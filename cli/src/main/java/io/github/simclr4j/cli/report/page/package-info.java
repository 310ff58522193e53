// SPDX-License-Identifier: Apache-2.0
/** The reports of the commands, created from the commands' JSON results. */
package io.github.simclr4j.cli.report.page;
