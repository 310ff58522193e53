/** What several packages of this module share and nobody else is meant to use; it may change at any time. */
package io.github.simclr4j.tribuo.internal;
