// SPDX-License-Identifier: Apache-2.0
/** A small HTTP server for one page on this machine, and the page itself: a run's folder as a live report. */
package io.github.simclr4j.cli.watch;
