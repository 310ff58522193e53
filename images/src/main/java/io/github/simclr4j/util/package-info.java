/**
 * Small utilities that every module uses: files that are written whole or not at all, locks, temporary files, SHA-256, the library's version, declared
 * options, and progress. The package depends on nothing but the JDK.
 */
package io.github.simclr4j.util;
