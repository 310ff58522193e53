package io.github.simclr4j.examples;

import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.testing.AbstractMethodTest;

/** What every method must keep, of the one that the example adds. */
class AddAMethodTest extends AbstractMethodTest {
    @Override
    protected MethodFactory method() {
        return new AddAMethod();
    }
}
