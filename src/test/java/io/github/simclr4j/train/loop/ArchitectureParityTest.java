// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import io.github.simclr4j.onnx.network.Architecture;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The first architecture of each family. */
@ParameterizedClass
@MethodSource("first")
class ArchitectureParityTest extends AbstractArchitectureTest {
    ArchitectureParityTest(Architecture architecture) {
        super(architecture);
    }
}
