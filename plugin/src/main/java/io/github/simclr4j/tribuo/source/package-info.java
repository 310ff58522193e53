/**
 * Data sources for Tribuo: images of a folder, an archive or a table, columns of images in Tribuo's own row processors, and
 * examples of pixels. Each takes an extractor, decodes ahead of it, and says in its provenance which images it gave, by their
 * content.
 */
package io.github.simclr4j.tribuo.source;
