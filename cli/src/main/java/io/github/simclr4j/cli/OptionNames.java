// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Replaces the terms of the libraries' messages, such as "the setting pooling", by those of the command line. */
final class OptionNames {
    private static final Pattern SETTINGS = Pattern.compile("the settings? ([a-z-]+)(?: and ([a-z-]+))?");
    private static final Map<String, String> COMMANDS = Map.of(
            "with Devices.fetch ", "with 'simclr devices --fetch' ",
            "Devices.report shows", "'simclr devices' shows",
            "train again with the same settings", "run the same command again");

    private OptionNames() {}

    /** Replaces the names of methods in a message by the commands that do the same. */
    static String commands(String message) {
        String text = message;
        for (Map.Entry<String, String> e : COMMANDS.entrySet()) {
            text = text.replace(e.getKey(), e.getValue());
        }
        return text;
    }

    /**
     * Replaces the names of methods by commands, and those of settings by options.
     *
     * @param options options of the command, such as {@code --pooling}; a setting without an option stays unchanged
     */
    static String all(String message, Set<String> options) {
        return SETTINGS.matcher(commands(message)).replaceAll(m -> {
            if (!options.contains("--" + m.group(1))) {
                return Matcher.quoteReplacement(m.group());
            }
            String named = "--" + m.group().substring(m.start(1) - m.start());
            return Matcher.quoteReplacement(
                    options.contains("--" + m.group(2)) ? named.replace(" and ", " and --") : named);
        });
    }
}
