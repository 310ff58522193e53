// SPDX-License-Identifier: Apache-2.0
/** The command line: one class a command, over the trainer and the plugin. */
package io.github.simclr4j.cli;

