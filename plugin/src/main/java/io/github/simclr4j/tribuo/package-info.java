/**
 * Only the old names of classes, so that saved models, provenances and configuration files that have them can still be read. The
 * classes themselves are in the packages below.
 */
package io.github.simclr4j.tribuo;
