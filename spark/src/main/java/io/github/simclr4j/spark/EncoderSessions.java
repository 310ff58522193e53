package io.github.simclr4j.spark;

import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The encoders that are open in this JVM: one session for all tasks that run the same file in the same way. A session stays open for
 * the tasks that follow, until another encoder is opened and no task uses it any more.
 */
final class EncoderSessions {
    /** Guarded by the class. */
    private static final Map<Key, Session> OPEN = new LinkedHashMap<>();
    private static final AtomicLong OPENED = new AtomicLong();

    private EncoderSessions() {}

    /** What makes two sessions the same. */
    private record Key(String sha256, Map<String, String> settings, RuntimeSettings runtime) {}

    private static final class Session {
        private OnnxEncoder encoder;
        private int users;
    }

    /** A task's use of a session; closing it a second time does nothing. */
    static final class Lease implements AutoCloseable {
        private Session session;

        private Lease(Session session) {
            this.session = session;
        }

        OnnxEncoder encoder() {
            return session.encoder;
        }

        @Override
        public void close() {
            synchronized (EncoderSessions.class) {
                if (session != null) {
                    session.users--;
                    session = null;
                }
            }
        }
    }

    /** Returns how many sessions this JVM has opened. */
    static long opened() {
        return OPENED.get();
    }

    /**
     * Returns the session for an encoder, which is opened if it is not yet.
     *
     * @throws IOException if it can't be opened
     */
    static Lease lease(EncoderFile file, RuntimeSettings runtime) throws IOException {
        Key key = new Key(file.sha256(), file.settings(), runtime);
        Session session;
        synchronized (EncoderSessions.class) {
            session = OPEN.get(key);
            if (session == null) {
                closeIdle();
                session = new Session();
                OPEN.put(key, session);
            }
            session.users++;
        }
        Lease lease = new Lease(session);
        try {
            // Tasks of other encoders need not wait while this one is opened.
            synchronized (session) {
                if (session.encoder == null) {
                    session.encoder = OnnxEncoder.open(file.bytes(), file.name(), EncoderSettings.of(file.settings(), "param"), runtime);
                    OPENED.incrementAndGet();
                }
            }
            return lease;
        } catch (IOException | RuntimeException e) {
            lease.close();
            throw e;
        }
    }

    private static void closeIdle() {
        OPEN.values().removeIf(session -> {
            if (session.users == 0 && session.encoder != null) {
                session.encoder.close();
            }
            return session.users == 0;
        });
    }
}
