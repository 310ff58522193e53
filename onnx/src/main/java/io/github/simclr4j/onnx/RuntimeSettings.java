package io.github.simclr4j.onnx;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions;

/**
 * How ONNX Runtime runs an encoder.
 *
 * @param threads threads of one call, 0 for as many as ONNX Runtime likes
 * @param provider the execution provider, such as {@code cpu}, {@code cuda} or {@code cuda:1}, see {@link Provider}
 * @param batch images that go through the graph at once, 0 for a number that suits the machine (see
 *     {@link OnnxEncoder#batch()}); a file with a fixed batch has its own
 * @param customiser what else is set on the session, null for nothing
 */
public record RuntimeSettings(int threads, String provider, int batch, Customiser customiser) {
    /** The CPU, with as many threads as ONNX Runtime likes. */
    public static final RuntimeSettings DEFAULT = new RuntimeSettings(0, "cpu", 0, null);

    /** Sets what it likes on the options of a session. It must not close them. */
    @FunctionalInterface
    public interface Customiser {
        /** Called once, after everything else is set. */
        void customise(SessionOptions options) throws OrtException;
    }

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if one is out of range, or there is no such provider
     */
    public RuntimeSettings {
        if (threads < 0 || batch < 0 || batch > 65_536) {
            throw new IllegalArgumentException(
                    "Expected at least 0 threads and a batch of 0 to 65536, found " + threads + " and " + batch);
        }
        Provider.of(provider);
    }

    /** The same with another number of threads. */
    public RuntimeSettings withThreads(int count) {
        return new RuntimeSettings(count, provider, batch, customiser);
    }

    /** The same with another provider. */
    public RuntimeSettings withProvider(String name) {
        return new RuntimeSettings(threads, name, batch, customiser);
    }

    /** The same with another batch. */
    public RuntimeSettings withBatch(int images) {
        return new RuntimeSettings(threads, provider, images, customiser);
    }

    /** The same with more session options. */
    public RuntimeSettings withCustomiser(Customiser more) {
        return new RuntimeSettings(threads, provider, batch, more);
    }
}
