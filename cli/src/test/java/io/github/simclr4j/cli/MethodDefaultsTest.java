// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.train.method.Defaults;
import io.github.simclr4j.train.method.Method;
import io.github.simclr4j.train.method.MethodContext;
import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.method.Methods;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What the help says of defaults that depend on the method. */
class MethodDefaultsTest {
    private record Some(String name, Consumer<Defaults> setting) implements MethodFactory {
        @Override
        public String summary() {
            return "A method for a test";
        }

        @Override
        public String paper() {
            return "https://example.org";
        }

        @Override
        public void defaults(Defaults d) {
            setting.accept(d);
        }

        @Override
        public Method create(MethodContext context) {
            throw new UnsupportedOperationException();
        }
    }

    private static String of(String setting, MethodFactory... methods) {
        return new MethodDefaults(List.of(methods)).of(setting);
    }

    @Test
    void methodsWithTheCommonDefaultAreNotNamed() {
        assertEquals("", of("hidden", new Some("a", d -> {}), new Some("b", d -> d.projection(64))));
    }

    @Test
    void methodsOfTheSameDefaultAreNamedTogether() {
        assertEquals(
                "; a and c 64; b 32",
                of(
                        "projection",
                        new Some("a", d -> d.projection(64)),
                        new Some("b", d -> d.projection(32)),
                        new Some("c", d -> d.projection(64))));
    }

    /** Only what differs from the parts before is said. */
    @Test
    void otherOptimizersAndSizesAreSaidWhereTheyMatter() {
        assertEquals(
                "; with lars: a 1e-6; with sgd above 64 pixels: b 5e-4",
                of(
                        "weightDecay",
                        new Some("a", d -> {
                            if (d.optimizer().equals("lars")) {
                                d.weightDecay(1e-6);
                            }
                        }),
                        new Some("b", d -> {
                            if (d.optimizer().equals("sgd") && !d.isSmall()) {
                                d.weightDecay(5e-4);
                            }
                        })));
        assertEquals(
                "; a deep; with sgd: a linear; above 64 pixels: a the common default", of("head", new Some("a", d -> {
                    if (d.isSmall()) {
                        d.head(d.optimizer().equals("sgd") ? "linear" : "deep");
                    }
                })));
        assertEquals(
                "; with lars above 64 pixels: a 0.45; with lars above 64 pixels, from 1000 epochs: a 0.2",
                of("baseLearningRate", new Some("a", d -> {
                    if (d.optimizer().equals("lars") && !d.isSmall()) {
                        d.baseLearningRate(d.epochs() < 1000 ? 0.45 : 0.2);
                    }
                })));
    }

    /** The factor of Adam is not one of other optimizers, which is no default of theirs. */
    @Test
    void theFactorOfAdamIsSaidOnce() {
        assertEquals("; a 0.5", of("rateFactor", new Some("a", d -> d.adamRateFactor(0.5))));
    }

    /** Issue 17: each method in the help with its sources. */
    @Test
    void theHelpSaysOfEachMethodWhatItDoesAndWhereItIsFrom() {
        String help = CommandLineTest.run("pretrain", "--help").out().replaceAll("\\s+", " ");
        for (MethodFactory m : Methods.all()) {
            String line = m.name() + " [" + PretrainOptions.address(m.paper()) + "]: " + m.summary() + ". ";
            assertTrue(help.contains(line), line + " in " + help);
        }
        assertTrue(help.contains("van den Oord et al. 2018, arXiv:1807.03748"), "both papers of CPC");
    }
}
