// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import java.util.List;
import java.util.stream.Collectors;

/** Commands as they are typed into a POSIX shell. */
final class ShellCommand {
    private ShellCommand() {}

    /**
     * Returns a command of this program.
     *
     * @param before what stands before it, such as a variable of the environment, with a space behind
     * @param arguments as the program got them
     */
    static String of(String before, List<String> arguments) {
        return before + "./simclr "
                + arguments.stream().map(ShellCommand::quoted).collect(Collectors.joining(" "));
    }

    /** Returns a word in such a way that the shell reads it as it is. */
    static String quoted(String word) {
        return word.matches("[A-Za-z0-9_@%+=:,./-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
