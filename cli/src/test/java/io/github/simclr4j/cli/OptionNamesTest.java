// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OptionNamesTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "give the settings mean and std (0 and 1) | give --mean and --std (0 and 1)",
                "drop the setting image-size, or give the setting mean and go on | drop --image-size, or give --mean and go on",
                "the setting pooling and the settings inside it | the setting pooling and the settings inside it",
                "fetch it with Devices.fetch (about 3 GB) | fetch it with 'simclr devices --fetch' (about 3 GB)",
                "stopped; train again with the same settings to continue | stopped; run the same command again to continue",
                "of $1 and \\ | of $1 and \\"
            })
    void aMessageNamesTheOptionsThatTheCommandHas(String message, String said) {
        assertEquals(said, OptionNames.all(message, Set.of("--mean", "--std", "--image-size")));
    }
}
