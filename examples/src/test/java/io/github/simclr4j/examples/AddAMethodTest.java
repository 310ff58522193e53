// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.examples;

import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.testing.AbstractMethodTest;
import org.junit.jupiter.api.Tag;

/** What every method must keep, of the one that the example adds. */
@Tag("slow")
class AddAMethodTest extends AbstractMethodTest {
    @Override
    protected MethodFactory method() {
        return new AddAMethod();
    }
}
