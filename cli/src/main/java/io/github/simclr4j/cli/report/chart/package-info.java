/** Charts as inline SVG or as tables, with their figures as text; colours are those of the page. */
package io.github.simclr4j.cli.report.chart;
