package io.github.simclr4j.examples;

import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.testing.AbstractMethodTest;

/** The method of the example keeps what every method must keep. */
class AddAMethodTest extends AbstractMethodTest {
    @Override
    protected MethodFactory method() {
        return new AddAMethod();
    }
}
