// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Shares ONNX Runtime sessions among the tasks in this JVM. Tasks that run the same encoder file with the same settings use one
 * session. An unused session stays open for later tasks until another encoder is opened.
 */
final class EncoderSessions {
    /** Open sessions; guarded by the class's monitor. */
    private static final Map<Key, Session> OPEN = new LinkedHashMap<>();

    private static final AtomicLong OPENED = new AtomicLong();

    private EncoderSessions() {}

    /** Identifies a session. */
    private record Key(String sha256, Map<String, String> settings, RuntimeSettings runtime) {}

    private static final class Session {
        private OnnxEncoder encoder;
        private int users;
    }

    /** A task's use of a session. Closing it a second time does nothing. */
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

    /** Returns the number of tasks that use a session now. */
    static int users() {
        synchronized (EncoderSessions.class) {
            return OPEN.values().stream().mapToInt(session -> session.users).sum();
        }
    }

    /** Returns the number of sessions that this JVM has opened. */
    static long opened() {
        return OPENED.get();
    }

    /**
     * Returns the session of an encoder, and opens it if necessary.
     *
     * @throws IOException if the encoder can't be opened
     */
    static Lease lease(EncoderFile file, RuntimeSettings runtime) throws IOException {
        EncoderFile.Header header = file.header();
        Key key = new Key(header.sha256(), header.settings(), runtime);
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
            // Opened without holding the class's monitor, so that tasks with other encoders need not wait.
            synchronized (session) {
                if (session.encoder == null) {
                    session.encoder = OnnxEncoder.open(
                            file.bytes(), header.name(), EncoderSettings.of(header.settings(), "param"), runtime);
                    OPENED.incrementAndGet();
                }
            }
            return lease;
        } catch (Throwable e) {
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
