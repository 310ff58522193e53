// SPDX-License-Identifier: Apache-2.0
/** Self-contained HTML pages, which open without a network and can be read without scripts. */
package io.github.simclr4j.cli.report;
