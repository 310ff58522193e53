/** A small server for one page, which answers browsers of this machine alone, and what it shows: a run's folder as a report. */
package io.github.simclr4j.cli.watch;
