// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.extraction;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenancable;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.github.simclr4j.util.TemporaryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.logging.Logger;
import java.util.zip.CRC32C;

/**
 * Caches features on disk, keyed by the content of the image and of the encoder. The same encoder does not run twice on an unchanged
 * image, even if the image file was moved. Pass the cache to a {@link SimCLRFeatureExtractor}.
 *
 * <p>Threads, extractors and processes may share a folder, because each entry is a separate file that is written atomically. A
 * damaged entry is detected by its checksum and computed again. When the entries exceed {@code maxBytes}, the least recently used
 * ones are deleted (use is recorded to the minute). A process counts the entries of all processes whenever it has written a
 * sixteenth of {@code maxBytes}; so the limit may be exceeded by that much per process.
 *
 * <p>If the folder is not writable or the disk is full, features are still computed. The failure is logged once and counted in
 * {@link #stats()}.
 *
 * <p>Format: an entry is the file {@code v1/<encoder key>/<2 digits>/<image key>}, where the keys are SHA-256 in hexadecimal. Its
 * contents, big-endian, are:
 *
 * <ul>
 *   <li>the magic number {@code SC4F}, the format's version (1) and the dimension d as int32
 *   <li>both keys, 32 bytes each
 *   <li>d values as float32
 *   <li>the CRC-32C of everything before it as int32
 * </ul>
 *
 * @since 0.1.0
 */
public class FeatureCache implements Configurable, Provenancable<ConfiguredObjectProvenance> {
    private static final Logger logger = Logger.getLogger(FeatureCache.class.getName());
    private static final int MAGIC = 0x53433446;
    private static final int VERSION = 1;
    private static final int HEADER = 76;
    private static final String PART = ".part";
    /** Assumed block size of the file system in bytes. */
    private static final long BLOCK = 4096;

    private static final Duration TOUCH_AFTER = Duration.ofMinutes(1);
    private static final Duration PART_IS_DEAD_AFTER = Duration.ofHours(1);

    @Config(mandatory = true, description = "The folder of the cache. It is created if it is missing.")
    private Path folder;

    @Config(description = "The maximum size on disk in bytes, counted in blocks of 4096.")
    private long maxBytes = 1L << 30;

    private Path entries;
    private final AtomicLong hits = new AtomicLong();
    private final AtomicLong misses = new AtomicLong();
    private final AtomicLong corrupt = new AtomicLong();
    private final AtomicLong failedWrites = new AtomicLong();
    private final AtomicLong evicted = new AtomicLong();
    /** Bytes of all entries at the last count, or -1 before the first count. */
    private final AtomicLong counted = new AtomicLong(-1);
    /** Bytes written since the last count. */
    private final AtomicLong written = new AtomicLong();

    private final ReentrantLock counting = new ReentrantLock();

    /**
     * Counters of a cache since it was opened.
     *
     * @param hits number of look-ups that found features
     * @param misses number of look-ups that found none, including those that found a damaged entry
     * @param corrupt number of look-ups that found a damaged entry
     * @param failedWrites number of entries that could not be written
     * @param evicted number of entries deleted to keep within the limit
     */
    public record Stats(long hits, long misses, long corrupt, long failedWrites, long evicted) {}

    /** Required by OLCUT. */
    protected FeatureCache() {}

    /**
     * Opens a cache, and creates its folder if it is missing.
     *
     * @param folder the folder
     * @param maxBytes the maximum size on disk in bytes, at least 1 MiB
     * @throws PropertyException if the folder does not exist and can't be created
     */
    public FeatureCache(Path folder, long maxBytes) {
        this.folder = folder;
        this.maxBytes = maxBytes;
        postConfig();
    }

    /** Used by the OLCUT configuration system, and should not be called by external code. */
    @Override
    public void postConfig() {
        if (maxBytes < 1 << 20) {
            throw new PropertyException("", "maxBytes", "Expected at least 1048576, found " + maxBytes);
        }
        entries = folder.resolve("v" + VERSION);
        if (!Files.isDirectory(folder)) {
            try {
                Files.createDirectories(folder);
            } catch (IOException e) {
                throw new PropertyException(
                        e,
                        "",
                        "folder",
                        "Can't create the feature cache's folder " + folder + " (" + e
                                + "): choose a writable location");
            }
        }
    }

    /** Returns the counters since this object was created. */
    public Stats stats() {
        return new Stats(hits.get(), misses.get(), corrupt.get(), failedWrites.get(), evicted.get());
    }

    private Path file(String encoder, String image) {
        return entries.resolve(encoder).resolve(image.substring(0, 2)).resolve(image);
    }

    /** Returns the features of an image, or null if there is no valid entry. Keys are SHA-256 in hexadecimal. */
    float[] get(String encoder, String image, int dimension) {
        Path file = file(encoder, image);
        float[] features = null;
        try {
            features = parse(Files.readAllBytes(file), encoder, image, dimension);
            if (features == null) {
                corrupt.incrementAndGet();
                logger.fine(() -> "Damaged entry of the feature cache, computed again: " + file);
            } else {
                touch(file);
            }
        } catch (NoSuchFileException e) {
            // Not cached, or just evicted.
        } catch (IOException e) {
            corrupt.incrementAndGet();
            logger.fine(() -> "Unreadable entry of the feature cache: " + file + ": " + e);
        }
        (features == null ? misses : hits).incrementAndGet();
        return features;
    }

    /** Records the time of use as the file's modification time; has no effect on a read-only cache. */
    private static void touch(Path file) {
        try {
            Instant now = Instant.now();
            if (Files.getLastModifiedTime(file).toInstant().isBefore(now.minus(TOUCH_AFTER))) {
                Files.setLastModifiedTime(file, FileTime.from(now));
            }
        } catch (IOException e) {
            logger.finer(() -> "Can't record the use of " + file + ": " + e);
        }
    }

    private static float[] parse(byte[] bytes, String encoder, String image, int dimension) {
        if (bytes.length != HEADER + 4 * dimension + 4) {
            return null;
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        ByteBuffer head = header(encoder, image, dimension);
        if (in.getInt(bytes.length - 4) != crc(bytes, bytes.length - 4)
                || !in.slice(0, HEADER).equals(head)) {
            return null;
        }
        float[] features = new float[dimension];
        in.position(HEADER).asFloatBuffer().get(features);
        return features;
    }

    private static ByteBuffer header(String encoder, String image, int dimension) {
        return ByteBuffer.allocate(HEADER)
                .putInt(MAGIC)
                .putInt(VERSION)
                .putInt(dimension)
                .put(HexFormat.of().parseHex(encoder))
                .put(HexFormat.of().parseHex(image))
                .flip();
    }

    private static int crc(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }

    /** Stores features. A failure is counted, and logged the first time. */
    void put(String encoder, String image, float[] features) {
        ByteBuffer entry =
                ByteBuffer.allocate(HEADER + 4 * features.length + 4).put(header(encoder, image, features.length));
        for (float f : features) {
            entry.putFloat(f);
        }
        entry.putInt(crc(entry.array(), entry.position())).flip();
        Path file = file(encoder, image);
        Path part = file.resolveSibling(image.substring(0, 8) + "-" + UUID.randomUUID() + PART);
        // Not forced to disk: a lost or truncated entry is simply computed again.
        try (TemporaryFile temporary = TemporaryFile.at(part)) {
            temporary.write(entry);
            temporary.moveTo(file);
            written.addAndGet(blocks(entry.limit()));
            keepWithinBound();
        } catch (IOException e) {
            if (failedWrites.getAndIncrement() == 0) {
                logger.warning(
                        "Can't write to the feature cache " + folder + " (" + e + "): features are computed but not"
                                + " stored; free some space or choose another folder. Further failures are only counted.");
            }
        }
    }

    private static long blocks(long bytes) {
        return (bytes + BLOCK - 1) / BLOCK * BLOCK;
    }

    private record Entry(Path file, long used, long bytes) {}

    private void keepWithinBound() throws IOException {
        if (!due() || !counting.tryLock()) {
            return;
        }
        try {
            if (!due()) {
                return;
            }
            written.set(0);
            List<Entry> all = list();
            long total = all.stream().mapToLong(Entry::bytes).sum();
            if (total > maxBytes) {
                all.sort(Comparator.comparingLong(Entry::used));
                for (Entry e : all) {
                    // Delete a tenth more than needed, so that the next count is not due at once.
                    if (total <= maxBytes - maxBytes / 10) {
                        break;
                    }
                    if (Files.deleteIfExists(e.file())) {
                        evicted.incrementAndGet();
                    }
                    total -= e.bytes();
                }
            }
            counted.set(total);
        } finally {
            counting.unlock();
        }
    }

    private boolean due() {
        return counted.get() < 0 || written.get() > maxBytes / 16 || counted.get() + written.get() > maxBytes;
    }

    /** Lists all entries, and deletes unfinished files of killed processes. */
    private List<Entry> list() throws IOException {
        List<Entry> all = new ArrayList<>();
        Instant dead = Instant.now().minus(PART_IS_DEAD_AFTER);
        Files.walkFileTree(entries, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes a) throws IOException {
                if (!file.getFileName().toString().endsWith(PART)) {
                    all.add(new Entry(file, a.lastModifiedTime().toMillis(), blocks(a.size())));
                } else if (a.lastModifiedTime().toInstant().isBefore(dead)) {
                    Files.deleteIfExists(file);
                }
                return FileVisitResult.CONTINUE;
            }

            /** Ignores a file that another process has deleted or renamed, or that can't be read. */
            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
                return FileVisitResult.CONTINUE;
            }
        });
        return all;
    }

    @Override
    public String toString() {
        return "FeatureCache(folder=" + folder + ",maxBytes=" + maxBytes + ")";
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "FeatureCache");
    }
}
