// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.testing.Small;
import org.junit.jupiter.api.Test;

class BatchViewsTest {
    @Test
    void smallViewsAreToldByTheirPlaceEvenIfTheyHaveTheSizeOfTheOthers() {
        for (int size : new int[] {16, 32}) {
            PretrainSettings s = Small.build(
                    Small.settings("simclr").batch(4).option("multi-crop", 2).option("multi-crop-size", size));
            BatchViews batch = new BatchViews(null, s.generators(), s.method().views(), new int[4], null, 1, 2, null);
            for (int view = 0; view < 4; view++) {
                assertEquals(view >= 2, batch.isSmall(view), "view " + view + ", size " + size);
            }
        }
    }
}
