// SPDX-License-Identifier: Apache-2.0
/** Implements the command line, with one class per command, on top of the trainer and the plugin. */
package io.github.simclr4j.cli;

