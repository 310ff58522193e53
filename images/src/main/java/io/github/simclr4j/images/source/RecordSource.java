// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.images.internal.Fingerprint;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** A source of uncompressed images of equal size, stored one after the other in one or several files. */
final class RecordSource extends Labelled {
    /**
     * The layout of pixels in a record.
     *
     * @param channel bytes from one channel to the next; 0 for grey
     * @param y bytes from one row to the next
     * @param x bytes from one column to the next
     */
    record Layout(int channel, int y, int x) {}

    /**
     * A file of records.
     *
     * @param name the file's name in messages
     * @param bytes the bytes of the file
     * @param start position of the first record
     * @param count number of records
     */
    record Part(String name, Bytes bytes, long start, int count) {}

    private final List<Part> parts;
    private final int width;
    private final int height;
    /** Number of bytes before the pixels of each record. */
    private final int head;

    private final int length;
    private final Layout layout;
    private final Closeable owner;
    private final Access access;
    private final List<Integer> firsts = new ArrayList<>();
    private final int size;

    RecordSource(List<Part> parts, int width, int height, int head, Layout layout, Labels labels, Closeable owner) {
        super(labels);
        this.parts = parts;
        this.width = width;
        this.height = height;
        this.head = head;
        this.layout = layout;
        this.owner = owner;
        length = head + width * height * (layout.channel == 0 ? 1 : 3);
        int images = 0;
        for (Part p : parts) {
            firsts.add(images);
            images = Math.addExact(images, p.count);
        }
        size = images;
        access = new Access(
                size, this::name, this::isReadable, () -> parts.get(0).bytes.isReadable());
    }

    private boolean isReadable(int i) {
        try {
            return record(i).length > 0;
        } catch (IOException e) {
            return false;
        }
    }

    private int part(int i) {
        int p = 0;
        while (p + 1 < parts.size() && firsts.get(p + 1) <= i) {
            p++;
        }
        return p;
    }

    private byte[] record(int i) throws IOException {
        Part part = parts.get(part(i));
        return part.bytes.read(part.start + (long) (i - firsts.get(part(i))) * length, length);
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public String name(int i) {
        return parts.get(part(i)).name + "#" + (i - firsts.get(part(i)));
    }

    @Override
    public RgbImage read(int i, SizeCheck check) throws IOException {
        try {
            check.check(width, height);
            byte[] record = access.read(i, this::record);
            byte[] rgb = new byte[width * height * 3];
            int out = 0;
            for (int y = 0; y < height; y++) {
                int in = head + y * layout.y;
                for (int x = 0; x < width; x++) {
                    rgb[out] = record[in];
                    rgb[out + 1] = record[in + layout.channel];
                    rgb[out + 2] = record[in + 2 * layout.channel];
                    out += 3;
                    in += layout.x;
                }
            }
            return new RgbImage(width, height, rgb);
        } catch (IOException e) {
            throw Unreadable.exception(name(i), e);
        }
    }

    @Override
    public String fingerprint() throws IOException {
        Fingerprint f = new Fingerprint();
        f.add(size);
        f.add(width);
        f.add(height);
        labels.addTo(f);
        for (int i : Fingerprint.spread(size, EncodedSource.FINGERPRINTED)) {
            f.add(access.read(i, this::record));
        }
        return f.hex();
    }

    @Override
    public void close() throws IOException {
        owner.close();
    }
}
