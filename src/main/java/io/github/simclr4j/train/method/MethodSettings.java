package io.github.simclr4j.train.method;

import java.util.List;

/**
 * How views become a loss.
 *
 * @param name one of {@link #NAMES}
 * @param loss one of {@link #LOSSES}, for {@code simclr}; the other methods have a loss of their own, and this is ignored
 * @param temperature t, above 0 and finite
 * @param margin m of the margin loss, at least 0 and finite
 * @param classPrior share of negatives that the debiased loss takes to be of the anchor's own class, 0 up to (not including) 1
 * @param queue keys that MoCo's queue holds, 1 to {@link #MOST_KEYS}
 * @param momentum m of MoCo's momentum encoder, 0 up to (not including) 1
 * @param momentumEnd what m rises to over the run, along half a cosine (BYOL, Grill et al. 2020, implementation details,
 *     where it rises to 1), at least {@code momentum} and below 1; equal to it for no rise
 * @param symmetric true if MoCo takes both views as queries in turn, false for the first alone
 */
public record MethodSettings(
        String name,
        String loss,
        double temperature,
        double margin,
        double classPrior,
        int queue,
        double momentum,
        double momentumEnd,
        boolean symmetric) {
    /** The methods; {@code mocov1} and {@code mocov2} are one method with other defaults around it. */
    public static final List<String> NAMES = List.of("simclr", "mocov1", "mocov2", "end-to-end", "supervised");
    /** The losses that SimCLR's method can take. */
    public static final List<String> LOSSES = List.of("nt-xent", "nt-logistic", "nt-logistic-semihard", "margin",
            "margin-semihard", "debiased", "decoupled", "supcon");

    /** A queue's position is kept in float32, which counts up to here without a gap. */
    static final int MOST_KEYS = 1 << 24;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a name is unknown, or a value out of its range
     */
    public MethodSettings {
        oneOf("method", name, NAMES);
        oneOf("loss", loss, LOSSES);
        if (!(temperature > 0 && Double.isFinite(temperature))) {
            throw new IllegalArgumentException("Temperature must be above 0 and finite, found " + temperature);
        }
        if (!(margin >= 0 && Double.isFinite(margin))) {
            throw new IllegalArgumentException("Margin must be at least 0 and finite, found " + margin);
        }
        if (!(classPrior >= 0 && classPrior < 1)) {
            throw new IllegalArgumentException("Class prior must be from 0 to below 1, found " + classPrior);
        }
        if (queue < 1 || queue > MOST_KEYS) {
            throw new IllegalArgumentException("The queue must hold 1 to " + MOST_KEYS + " keys, found " + queue);
        }
        if (!(momentum >= 0 && momentum < 1) || !(momentumEnd >= momentum && momentumEnd < 1)) {
            throw new IllegalArgumentException("A momentum encoder's momentum must be from 0 to below 1 and must not fall, found "
                    + momentum + " to " + momentumEnd);
        }
    }

    private static void oneOf(String what, String found, List<String> known) {
        if (!known.contains(found)) {
            throw new IllegalArgumentException(
                    "Unknown " + what + ", expected " + String.join(", ", known) + ", found " + found);
        }
    }

    /** SimCLR with NT-Xent. */
    public static MethodSettings simclr(double temperature) {
        return of("simclr", "nt-xent", temperature);
    }

    /** A method with a loss, and the defaults of all else: margin 0.8, class prior 0.1, 4,096 keys, momentum 0.99. */
    public static MethodSettings of(String name, String loss, double temperature) {
        return new MethodSettings(name, loss, temperature, 0.8, 0.1, 4096, 0.99, 0.99, false);
    }

    /** Whether training reads labels. */
    public boolean needsLabels() {
        return name.equals("supervised") || name.equals("simclr") && loss.equals("supcon");
    }

    public boolean moco() {
        return name.startsWith("moco");
    }

    /** The loss that is used if it is one of {@link #LOSSES}, else the method's name. */
    private String used() {
        return name.equals("simclr") ? loss : name;
    }

    public boolean usesTemperature() {
        return !usesMargin() && !name.equals("supervised");
    }

    public boolean usesMargin() {
        return used().startsWith("margin");
    }

    public boolean usesClassPrior() {
        return used().equals("debiased");
    }
}
