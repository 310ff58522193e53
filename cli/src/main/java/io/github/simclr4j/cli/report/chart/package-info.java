// SPDX-License-Identifier: Apache-2.0
/** Charts as inline SVG or tables, with their numbers as text and the colours of the page. */
package io.github.simclr4j.cli.report.chart;
