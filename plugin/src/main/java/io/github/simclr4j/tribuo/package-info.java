// SPDX-License-Identifier: Apache-2.0
/**
 * Former names of classes, kept so that saved models, provenances and configuration files that contain them can still be read. The
 * classes themselves are in the subpackages.
 */
package io.github.simclr4j.tribuo;
