// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import io.github.simclr4j.train.testing.AbstractMethodTest;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every method of this library, with its default options. */
@Tag("slow")
@ParameterizedClass(name = "{0}")
@MethodSource("methods")
class MethodContractTest extends AbstractMethodTest {
    private final MethodFactory method;

    MethodContractTest(String name, MethodFactory method) {
        this.method = method;
    }

    /** Those that can be named, and distillation, which is made with its soft labels. */
    static Stream<Arguments> methods() {
        return Stream.concat(Methods.all().stream(), Stream.of(new Distillation(softLabels())))
                .map(f -> Arguments.of(f.name(), f));
    }

    /** What a teacher may say of 64 images of ten classes. */
    private static SoftLabels softLabels() {
        Random random = new Random(1);
        float[][] p = new float[64][10];
        for (float[] row : p) {
            double[] likely = random.doubles(10, 0.01, 1).toArray();
            System.arraycopy(SoftLabels.at(1, likely), 0, row, 0, 10);
        }
        return new SoftLabels(p);
    }

    @Override
    protected MethodFactory method() {
        return method;
    }

    @Override
    protected int imageSize() {
        return imageSize(method);
    }

    /**
     * A grid of three rows of patches leaves CPC's context network one row, of which none comes before; AMDIM's encoder takes images
     * of 32 pixels.
     */
    static int imageSize(MethodFactory method) {
        return method instanceof Cpc || method instanceof Amdim ? 32 : 16;
    }
}
