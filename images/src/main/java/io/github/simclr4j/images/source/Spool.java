package io.github.simclr4j.images.source;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import org.apache.commons.io.output.DeferredFileOutputStream;

/** Takes decompressed bytes: in memory as long as they are few, then in a temporary file. Close it if it is not finished. */
final class Spool implements Closeable {
    private final DeferredFileOutputStream out;
    private Bytes finished;

    Spool() throws IOException {
        this((int) Math.min(256L << 20, Runtime.getRuntime().maxMemory() / 16));
    }

    /**
     * An empty one.
     *
     * @param memory bytes to keep in memory
     */
    Spool(int memory) throws IOException {
        out = DeferredFileOutputStream.builder().setThreshold(memory).setPrefix("simclr-").setSuffix(".spool")
                .setDirectory(Path.of(System.getProperty("java.io.tmpdir"))).get();
    }

    long length() {
        return out.getByteCount();
    }

    void add(InputStream in) throws IOException {
        byte[] buffer = new byte[1 << 16];
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            try {
                out.write(buffer, 0, n);
            } catch (IOException e) {
                throw new IOException("can't keep the decompressed bytes in " + System.getProperty("java.io.tmpdir") + ": "
                        + e.getMessage() + "; name another folder with -Djava.io.tmpdir, or decompress it yourself", e);
            }
        }
    }

    /** What was added; the caller's to close. */
    Bytes finish() throws IOException {
        out.close();
        if (out.isInMemory()) {
            finished = Bytes.of(out.getData());
        } else {
            // In case the JVM ends before anyone closes.
            out.getFile().deleteOnExit();
            finished = new FileBytes(out.getFile().toPath(), true);
        }
        return finished;
    }

    @Override
    public void close() throws IOException {
        if (finished == null) {
            out.close();
            if (out.getFile() != null) {
                Files.deleteIfExists(out.getFile().toPath());
            }
        }
    }

    /**
     * Decompresses gzip.
     *
     * @param name for errors
     * @param compressed not closed
     */
    static Bytes gunzip(String name, Bytes compressed) throws IOException {
        try (Spool spool = new Spool(); InputStream in = new GZIPInputStream(compressed.stream(), 1 << 16)) {
            spool.add(in);
            return spool.finish();
        } catch (IOException e) {
            throw new IOException(name + " is truncated or damaged: " + Unreadable.reason(e), e);
        }
    }
}
