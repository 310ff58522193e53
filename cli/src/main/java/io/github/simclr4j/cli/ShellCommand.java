// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import java.util.List;
import java.util.stream.Collectors;

/** Formats commands for a POSIX shell. */
final class ShellCommand {
    private ShellCommand() {}

    /**
     * Returns a command of this program.
     *
     * @param before prefix such as an environment variable, with a trailing space
     * @param arguments arguments of the program
     */
    static String of(String before, List<String> arguments) {
        return before + "./simclr "
                + arguments.stream().map(ShellCommand::quoted).collect(Collectors.joining(" "));
    }

    /** Returns a word, quoted if the shell would otherwise change it. */
    static String quoted(String word) {
        return word.matches("[A-Za-z0-9_@%+=:,./-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
