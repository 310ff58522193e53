package io.github.simclr4j.images.source;

import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * A set of images can no longer be read as a whole, such as a network folder that went away: no image of it is damaged. It is
 * unchecked, so that whoever leaves out images that can't be read does not leave out all that are still to come.
 */
public final class ImagesUnavailableException extends UncheckedIOException {
    private static final long serialVersionUID = 1;

    ImagesUnavailableException(String image, IOException e) {
        super(image + ": " + Unreadable.reason(e) + ", and no other image of the set can be read any more: make it available"
                + " again (a network folder or a disk may be gone), then start again", e);
    }
}
