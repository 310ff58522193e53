package io.github.simclr4j.images.source;

import java.util.List;
import java.util.OptionalInt;

/** A source whose labels are known from the beginning. */
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
