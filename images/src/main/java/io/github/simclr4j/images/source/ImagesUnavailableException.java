// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * Thrown if a set of images has become unreadable as a whole, for example because a network folder was disconnected. It is unchecked, so
 * that code which skips unreadable images does not skip all remaining images.
 *
 * @since 0.1.0
 */
public final class ImagesUnavailableException extends UncheckedIOException {
    private static final long serialVersionUID = 1;

    ImagesUnavailableException(String image, IOException e) {
        super(
                image + ": " + Unreadable.reason(e)
                        + ", and no other image of the set can be read any more: make the set available"
                        + " again (a network folder or a disk may be disconnected), then start again",
                e);
    }
}
