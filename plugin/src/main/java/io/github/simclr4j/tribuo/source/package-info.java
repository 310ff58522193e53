// SPDX-License-Identifier: Apache-2.0
/**
 * Tribuo data sources: images in a folder, an archive or a table, image columns of Tribuo's row processors, and examples whose
 * features are pixels. Each uses a feature extractor, decodes images ahead of it, and records a hash of the images' content in its
 * provenance.
 */
package io.github.simclr4j.tribuo.source;
