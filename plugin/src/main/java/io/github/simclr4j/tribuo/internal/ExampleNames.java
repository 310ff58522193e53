// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.internal;

import org.tribuo.Example;

/** Names examples in error messages. */
public final class ExampleNames {
    private ExampleNames() {}

    /** Returns the example's {@link Example#NAME}, or "an example" if it has none. */
    public static String of(Example<?> example) {
        return example.getMetadataValue(Example.NAME).map(Object::toString).orElse("an example");
    }
}
