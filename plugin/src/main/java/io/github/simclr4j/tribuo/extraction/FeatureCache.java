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
 * Features on disk, by the content of the image and of what made them: an image file that is unchanged, wherever it lies, needs
 * no second inference by the same encoder. Give it to a {@link SimCLRFeatureExtractor}.
 *
 * <p>Threads, extractors and processes may share a folder: an entry is a file of its own that appears whole or not at all. An
 * entry that is cut or altered is found by its checksum and made anew. When the entries outgrow {@code maxBytes}, those
 * that were not used for longest go (use is noted to the minute); a process sees what others wrote when it next counts, after
 * having written a sixteenth of {@code maxBytes} itself, and that much the bound may be exceeded by.
 *
 * <p>A folder that can't be written to, or a full disk, costs speed alone: features are still computed, the failure is logged
 * once and counted in {@link #stats()}.
 *
 * <p>On disk: {@code v1/<encoder key>/<2 digits>/<image key>}, keys being SHA-256 in hexadecimal. An entry is big-endian: the
 * magic number {@code SC4F}, the format's version 1 and the dimension d as int32, both keys in 32 bytes each, d values as
 * float32, and the CRC-32C of all before as int32. Another version of the format has another folder.
 */
public class FeatureCache implements Configurable, Provenancable<ConfiguredObjectProvenance> {
    private static final Logger logger = Logger.getLogger(FeatureCache.class.getName());
    private static final int MAGIC = 0x53433446;
    private static final int VERSION = 1;
    private static final int HEADER = 76;
    private static final String PART = ".part";
    /** What a file takes on disk is a multiple of this. */
    private static final long BLOCK = 4096;
    private static final Duration TOUCH_AFTER = Duration.ofMinutes(1);
    private static final Duration PART_IS_DEAD_AFTER = Duration.ofHours(1);

    @Config(mandatory = true, description = "Folder of the cache, made if it is missing.")
    private Path folder;

    @Config(description = "Most bytes on disk, counted in blocks of 4096.")
    private long maxBytes = 1L << 30;

    private Path entries;
    private final AtomicLong hits = new AtomicLong();
    private final AtomicLong misses = new AtomicLong();
    private final AtomicLong corrupt = new AtomicLong();
    private final AtomicLong failedWrites = new AtomicLong();
    private final AtomicLong evicted = new AtomicLong();
    /** Bytes at the last count, -1 before the first, and those written since. */
    private final AtomicLong counted = new AtomicLong(-1);
    private final AtomicLong written = new AtomicLong();
    private final ReentrantLock counting = new ReentrantLock();

    /**
     * What a cache has done since it was made.
     *
     * @param hits features that were there
     * @param misses features that were not, the corrupt ones included
     * @param corrupt entries that were damaged
     * @param failedWrites entries that could not be written
     * @param evicted entries that were deleted to keep within the bound
     */
    public record Stats(long hits, long misses, long corrupt, long failedWrites, long evicted) {}

    /** For OLCUT. */
    protected FeatureCache() {}

    /**
     * Opens a folder, or makes it.
     *
     * @param folder the folder
     * @param maxBytes most bytes on disk, at least 1 MiB
     * @throws PropertyException if the folder is no folder and can't be made
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
                throw new PropertyException(e, "", "folder",
                        "Can't make the feature cache's folder " + folder + " (" + e + "): name one that can be made");
            }
        }
    }

    /** What has happened since this object was made. */
    public Stats stats() {
        return new Stats(hits.get(), misses.get(), corrupt.get(), failedWrites.get(), evicted.get());
    }

    private Path file(String encoder, String image) {
        return entries.resolve(encoder).resolve(image.substring(0, 2)).resolve(image);
    }

    /** The features of an image by an encoder, or null. Keys are SHA-256 in hexadecimal. */
    float[] get(String encoder, String image, int dimension) {
        Path file = file(encoder, image);
        float[] features = null;
        try {
            features = parse(Files.readAllBytes(file), encoder, image, dimension);
            if (features == null) {
                corrupt.incrementAndGet();
                logger.fine(() -> "Damaged entry of the feature cache, made anew: " + file);
            } else {
                touch(file);
            }
        } catch (NoSuchFileException e) {
            // Not there, or just evicted.
        } catch (IOException e) {
            corrupt.incrementAndGet();
            logger.fine(() -> "Unreadable entry of the feature cache: " + file + ": " + e);
        }
        (features == null ? misses : hits).incrementAndGet();
        return features;
    }

    /** The time of the last use is the file's modification time; a read-only cache has none. */
    private static void touch(Path file) {
        try {
            Instant now = Instant.now();
            if (Files.getLastModifiedTime(file).toInstant().isBefore(now.minus(TOUCH_AFTER))) {
                Files.setLastModifiedTime(file, FileTime.from(now));
            }
        } catch (IOException e) {
            logger.finer(() -> "Can't note the use of " + file + ": " + e);
        }
    }

    private static float[] parse(byte[] bytes, String encoder, String image, int dimension) {
        if (bytes.length != HEADER + 4 * dimension + 4) {
            return null;
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        ByteBuffer head = header(encoder, image, dimension);
        if (in.getInt(bytes.length - 4) != crc(bytes, bytes.length - 4) || !in.slice(0, HEADER).equals(head)) {
            return null;
        }
        float[] features = new float[dimension];
        in.position(HEADER).asFloatBuffer().get(features);
        return features;
    }

    private static ByteBuffer header(String encoder, String image, int dimension) {
        return ByteBuffer.allocate(HEADER).putInt(MAGIC).putInt(VERSION).putInt(dimension)
                .put(HexFormat.of().parseHex(encoder)).put(HexFormat.of().parseHex(image)).flip();
    }

    private static int crc(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }

    /** Keeps features; if that fails it is counted, and logged the first time. */
    void put(String encoder, String image, float[] features) {
        ByteBuffer entry = ByteBuffer.allocate(HEADER + 4 * features.length + 4).put(header(encoder, image, features.length));
        for (float f : features) {
            entry.putFloat(f);
        }
        entry.putInt(crc(entry.array(), entry.position())).flip();
        Path file = file(encoder, image);
        Path part = file.resolveSibling(image.substring(0, 8) + "-" + UUID.randomUUID() + PART);
        // Not forced to disk: a lost or cut entry costs its time again and nothing else.
        try (TemporaryFile temporary = TemporaryFile.at(part)) {
            temporary.write(entry);
            temporary.moveTo(file);
            written.addAndGet(blocks(entry.limit()));
            keepWithinBound();
        } catch (IOException e) {
            if (failedWrites.getAndIncrement() == 0) {
                logger.warning("Can't write to the feature cache " + folder + " (" + e + "): features are computed and not"
                        + " kept; free some space or name another folder. Further failures are only counted.");
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
                    // A tenth more than needed, so as not to count again at once.
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

    /** All entries; what a killed process left half-written is deleted. */
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

            /** Another process deleted or renamed it in between, or it is not ours to read. */
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
