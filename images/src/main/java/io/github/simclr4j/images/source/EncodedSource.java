// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.ImageNames;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.LeftOut;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.images.internal.DecodingHeap;
import io.github.simclr4j.images.internal.Fingerprint;
import io.github.simclr4j.images.internal.ImageFileSize;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** The base class of sources whose images are image files, in a folder or in an archive. */
abstract class EncodedSource extends Labelled {
    /** Maximum size of files whose bytes are part of a fingerprint. The limit is fixed, so that fingerprints agree on all machines. */
    private static final long MAX_FINGERPRINTED = 16L << 20;

    /** Number of images whose bytes are part of a fingerprint. */
    static final int FINGERPRINTED = 256;

    /** Prefix of the images' names in messages, such as {@code archive.zip!}. */
    final String container;

    final List<String> names;
    private final LeftOut leftOut;
    final Access access;

    EncodedSource(String container, List<String> names, Labels labels, LeftOut leftOut) {
        super(labels);
        this.container = container;
        this.names = names;
        this.leftOut = leftOut;
        access = new Access(names.size(), this::name, this::isReadable, this::isThere);
    }

    /** Returns whether bytes of an image file can be read now. */
    boolean isReadable(int i) {
        try {
            return length(i) >= 0 && bytes(i) != null;
        } catch (IOException e) {
            return false;
        }
    }

    /** Returns whether the folder or archive of the images still exists and can be read; called if no image was ever read. */
    boolean isThere() {
        return true;
    }

    @Override
    public LeftOut leftOut() {
        return leftOut;
    }

    /**
     * Returns the size of an image file, or -1 if the file is missing.
     *
     * @throws IOException if the whole set can no longer be read
     */
    abstract long length(int i) throws IOException;

    /** Returns the reason why an image file is missing. */
    String missing(int i) {
        return "no such file";
    }

    /**
     * Returns the bytes of an image file.
     *
     * @throws IOException if the file can't be read; the message need not name it
     */
    abstract byte[] bytes(int i) throws IOException;

    @Override
    public int size() {
        return names.size();
    }

    @Override
    public String name(int i) {
        return container + names.get(i);
    }

    @Override
    public RgbImage read(int i, SizeCheck size) throws IOException {
        try (DecodingHeap.Lease heap = DecodingHeap.enter()) {
            heap.takeFile(length(i));
            return Images.read(access.read(i, this::checked), size);
        } catch (OutOfMemoryError e) {
            throw new IOException(name(i) + ": its bytes do not fit into the heap: give Java more memory (-Xmx)", e);
        } catch (IOException e) {
            throw Unreadable.exception(name(i), e);
        }
    }

    @Override
    public Optional<byte[]> fileBytes(int i) throws IOException {
        try {
            return Optional.of(access.read(i, this::checked));
        } catch (IOException e) {
            throw Unreadable.exception(name(i), e);
        }
    }

    private byte[] checked(int i) throws IOException {
        long length = length(i);
        if (length < 0) {
            throw new IOException(missing(i));
        }
        ImageFileSize.check(length);
        return bytes(i);
    }

    @Override
    public String fingerprint() throws IOException {
        Fingerprint f = new Fingerprint();
        f.add(size());
        labels.addTo(f);
        for (int i = 0; i < size(); i++) {
            f.add(names.get(i));
            long length = length(i);
            if (length < 0) {
                access.check(i, new IOException(missing(i)));
            }
            f.add(length);
        }
        for (int i : Fingerprint.spread(size(), FINGERPRINTED)) {
            f.add(readable(i));
        }
        return f.hex();
    }

    /** Returns the bytes of an image file for the fingerprint; none for an unreadable image, which is left out anyway. */
    private byte[] readable(int i) throws IOException {
        long length = length(i);
        try {
            return length < 0 || length > MAX_FINGERPRINTED ? new byte[0] : access.read(i, this::bytes);
        } catch (IOException e) {
            return new byte[0];
        }
    }

    /** Returns whether a name with slashes is that of an image and not hidden. */
    static boolean isWanted(String name) {
        return ImageNames.isImageName(name) && !ImageNames.isHidden(name);
    }
}
