package io.github.simclr4j.tribuo.extraction;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.logging.Logger;

/** Images that could not be read, by name, with the reason; and what is to be done about them. */
public final class Failures {
    private static final Logger logger = Logger.getLogger(Failures.class.getName());

    private final Map<String, String> reasons = Collections.synchronizedMap(new LinkedHashMap<>());

    /** Throws, or notes and logs an image that has not been seen before. */
    void handle(Unreadable policy, String name, IOException reason) {
        if (policy == Unreadable.FAIL) {
            throw new UncheckedIOException(name + ": " + why(reason), reason);
        }
        note(name, why(reason), policy == Unreadable.SKIP ? "Skipped " : "Zeros for ");
    }

    /** Of some exceptions, such as EOFException, the name says all. */
    static String why(IOException reason) {
        return reason.getMessage() == null ? reason.toString() : reason.getMessage();
    }

    public void note(String name, String reason, String done) {
        if (reasons.put(name, reason) == null) {
            logger.warning(done + name + ": " + reason);
        }
    }

    public Map<String, String> reasons() {
        synchronized (reasons) {
            return Collections.unmodifiableMap(new LinkedHashMap<>(reasons));
        }
    }

    /**
     * The features of prepared images, encoded together: an array each, zeros, or null for one that is left out.
     *
     * @param names what errors call each of them
     */
    public <I> List<double[]> encode(ImageFeatureExtractor<?> extractor, Unreadable policy,
            List<ReadAhead.Ready<I, PreparedImage>> images, List<String> names) {
        List<PreparedImage> good = new ArrayList<>();
        for (int i = 0; i < images.size(); i++) {
            if (images.get(i).failure() == null) {
                good.add(images.get(i).value());
            } else {
                handle(policy, names.get(i), images.get(i).failure());
            }
        }
        double[][] features = extractor.encode(good);
        List<double[]> all = new ArrayList<>();
        int next = 0;
        for (ReadAhead.Ready<I, PreparedImage> image : images) {
            if (image.failure() == null) {
                all.add(features[next++]);
            } else {
                all.add(policy == Unreadable.ZERO ? new double[extractor.dimension()] : null);
            }
        }
        return all;
    }
}
