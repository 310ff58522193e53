// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import io.github.simclr4j.onnx.network.Architecture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** All other architectures, and each choice of their options. */
@ParameterizedClass
@MethodSource("others")
@Tag("slow")
class AllArchitecturesParityTest extends AbstractArchitectureTest {
    AllArchitecturesParityTest(Architecture architecture) {
        super(architecture);
    }
}
