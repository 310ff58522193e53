// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import java.util.List;
import java.util.OptionalInt;

/** The base class of sources whose labels are known when they are opened. */
abstract class Labelled implements ImageSource {
    final Labels labels;

    Labelled(Labels labels) {
        this.labels = labels;
    }

    @Override
    public OptionalInt label(int i) {
        return labels.get(i);
    }

    @Override
    public List<String> classes() {
        return labels.classes();
    }
}
