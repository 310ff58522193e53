package io.github.simclr4j.onnx;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession.SessionOptions;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * How ONNX Runtime runs an encoder.
 *
 * @param threads threads of one call, 0 for as many as ONNX Runtime likes, at most {@link #maxThreads()}
 * @param provider the execution provider, such as {@code cpu}, {@code cuda} or {@code cuda:1}, see {@link Provider}
 * @param batch images that go through the graph at once, 0 for a number that suits the machine (see
 *     {@link OnnxEncoder#batch()}); a file with a fixed batch has its own
 * @param options session options by the names that ONNX Runtime has for them, such as
 *     {@code session.intra_op.allow_spinning}; a name that it does not know has no effect
 * @param customiser what else is set on the session, null for nothing
 */
public record RuntimeSettings(int threads, String provider, int batch, Map<String, String> options, Customiser customiser) {
    /** The CPU, with as many threads as ONNX Runtime likes. */
    public static final RuntimeSettings DEFAULT = new RuntimeSettings(0, "cpu", 0, Map.of(), null);

    /** Sets what it likes on the options of a session. It must not close them. */
    @FunctionalInterface
    public interface Customiser {
        /** Called once, after everything that these settings say is set. */
        void customise(SessionOptions options) throws OrtException;
    }

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if one is out of range, or there is no such provider
     */
    public RuntimeSettings {
        if (threads < 0 || threads > maxThreads() || batch < 0 || batch > 65_536) {
            throw new IllegalArgumentException("Expected at least 0 threads, at most " + maxThreads()
                    + " on this machine, and a batch of 0 to 65536, found " + threads + " and " + batch);
        }
        Provider.of(provider);
        options.forEach((key, value) -> {
            if (key == null || key.isBlank() || value == null) {
                throw new IllegalArgumentException("Expected session options with a name and a value, such as"
                        + " session.intra_op.allow_spinning=0, found " + key + "=" + value);
            }
        });
        options = Collections.unmodifiableMap(new TreeMap<>(options));
    }

    /**
     * The most threads of one call: four a processor, and 64 in any case. With a thousand on two processors ONNX Runtime did
     * not come back.
     */
    public static int maxThreads() {
        return Math.max(64, 4 * Runtime.getRuntime().availableProcessors());
    }

    /** The same with another number of threads. */
    public RuntimeSettings withThreads(int count) {
        return new RuntimeSettings(count, provider, batch, options, customiser);
    }

    /** The same with another provider. */
    public RuntimeSettings withProvider(String name) {
        return new RuntimeSettings(threads, name, batch, options, customiser);
    }

    /** The same with another batch. */
    public RuntimeSettings withBatch(int images) {
        return new RuntimeSettings(threads, provider, images, options, customiser);
    }

    /** The same with more session options. */
    public RuntimeSettings withCustomiser(Customiser more) {
        return new RuntimeSettings(threads, provider, batch, options, more);
    }

    /** The same with other session options by name. */
    public RuntimeSettings withOptions(Map<String, String> byName) {
        return new RuntimeSettings(threads, provider, batch, byName, customiser);
    }

    /**
     * Sets all of it but the batch on the options of a session.
     *
     * @throws IllegalArgumentException if ONNX Runtime refuses a session option; the message names it
     * @throws IllegalStateException if the execution provider is not there
     */
    void apply(SessionOptions session) throws OrtException {
        // What goes wrong is in the exception.
        session.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
        if (threads > 0) {
            session.setIntraOpNumThreads(threads);
        }
        for (Map.Entry<String, String> e : options.entrySet()) {
            try {
                session.addConfigEntry(e.getKey(), e.getValue());
            } catch (OrtException refused) {
                throw new IllegalArgumentException("ONNX Runtime refuses the session option " + e.getKey() + "=" + e.getValue()
                        + ": " + refused.getMessage(), refused);
            }
        }
        Provider.add(provider, session);
        if (customiser != null) {
            customiser.customise(session);
        }
    }
}
