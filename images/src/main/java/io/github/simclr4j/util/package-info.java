// SPDX-License-Identifier: Apache-2.0
/**
 * Utilities for all modules: atomic files, locks, temporary files, SHA-256, the library's version, declared options, and progress. The
 * package depends only on the JDK.
 */
package io.github.simclr4j.util;
