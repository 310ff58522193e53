// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.testing.AbstractMethodTest;
import io.github.simclr4j.util.Option;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every method of this library with each choice of its options that is not the default, such as SimCLR's losses, and with small views. */
@ParameterizedClass(name = "{0}")
@MethodSource("choices")
@Tag("slow")
class MethodChoicesContractTest extends AbstractMethodTest {
    private final MethodFactory method;
    private final String option;
    private final String value;

    MethodChoicesContractTest(String name, MethodFactory method, String option, String value) {
        this.method = method;
        this.option = option;
        this.value = value;
    }

    static Stream<Arguments> choices() {
        List<Arguments> all = new ArrayList<>();
        for (MethodFactory f : Methods.all()) {
            for (Option<?> o : f.options()) {
                List<String> values = o.type() == Boolean.class
                        ? List.of("true", "false")
                        : o.name().equals("multi-crop") ? List.of("3") : o.choices();
                values.stream()
                        .filter(v -> !v.equals(o.fallback().toString()))
                        .forEach(v -> all.add(Arguments.of(f.name() + " " + o.name() + " " + v, f, o.name(), v)));
            }
        }
        return all.stream();
    }

    @Override
    protected MethodFactory method() {
        return method;
    }

    @Override
    protected int imageSize() {
        return MethodContractTest.imageSize(method);
    }

    @Override
    protected PretrainBuilder configure(PretrainBuilder small) {
        small.option(option, value);
        if (option.equals("symmetric")) {
            // Both views of a batch of 16 are keys.
            return small.option("queue", 40);
        }
        // The loss of dot products begins at hundreds: a usual step makes it infinite.
        return method instanceof Cpc && option.equals("dot-product") ? small.learningRate(1e-4) : small;
    }

    /** Of SimCLR's losses only NT-Xent of cosines takes small views. */
    @Override
    protected Set<String> onlyOneValue() {
        if (!(method instanceof SimClr)) {
            return Set.of();
        }
        return option.equals("multi-crop") ? Set.of("loss", "dot-product") : Set.of("multi-crop");
    }
}
