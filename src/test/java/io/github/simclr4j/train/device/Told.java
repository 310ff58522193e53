// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.device;

import io.github.simclr4j.util.Progress;
import java.util.ArrayList;
import java.util.List;

/** What was told. */
final class Told implements Progress {
    final List<String> lines = new ArrayList<>();
    final List<String> warnings = new ArrayList<>();

    @Override
    public void line(String text) {
        lines.add(text);
    }

    @Override
    public void warn(String text) {
        warnings.add(text);
    }
}
