// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.util.Option;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Makes command-line options from the declarations of methods, encoder families and protocols, whichever jar they come
 * from. Options of the same name become one option, whose help gives the default of each owner.
 */
final class DeclaredOptions {
    private final String selector;
    private final Map<String, List<Declared>> byName = new LinkedHashMap<>();
    private CommandSpec spec;

    private record Declared(String owner, Option<?> option) {}

    /**
     * Collects options.
     *
     * @param selector the option by which an owner is chosen, such as {@code --method}
     * @param owners the options of each owner by its name
     * @param taken names of the command's own options with their dashes; a declared option of such a name is prefixed
     *     with its owner's name. The names that are used here are added.
     */
    DeclaredOptions(String selector, Map<String, List<Option<?>>> owners, Set<String> taken) {
        this.selector = selector;
        owners.forEach((owner, options) -> options.forEach(o -> byName.computeIfAbsent(
                        taken.contains("--" + o.name()) ? owner + "-" + o.name() : o.name(), n -> new ArrayList<>())
                .add(new Declared(owner, o))));
        byName.keySet().forEach(n -> taken.add("--" + n));
    }

    /** Returns the option specifications for a command. */
    List<OptionSpec> specs(CommandSpec command) {
        spec = command;
        return byName.entrySet().stream()
                .map(e -> spec(e.getKey(), e.getValue()))
                .toList();
    }

    private static OptionSpec spec(String name, List<Declared> same) {
        Option<?> first = same.get(0).option();
        boolean flag = first.type() == Boolean.class;
        boolean alike = same.stream().allMatch(d -> d.option().type() == first.type());
        return OptionSpec.builder("--" + name)
                .type(alike ? first.type() : String.class)
                .arity(flag && alike ? "0" : "1")
                .paramLabel(label(first))
                .description(description(same, flag && alike).replace("%", "%%"))
                .build();
    }

    private static String label(Option<?> option) {
        if (option.type() == Integer.class) {
            return "N";
        }
        return option.type() == Path.class ? "FILE" : option.choices().isEmpty() ? "X" : "NAME";
    }

    private static String description(List<Declared> same, boolean flag) {
        List<String> helps = same.stream().map(d -> help(d.option())).distinct().toList();
        // A help text that starts with the whole of another one makes that one redundant.
        String help = helps.stream()
                .filter(h -> helps.stream().noneMatch(o -> !o.equals(h) && o.startsWith(h)))
                .collect(Collectors.joining("; or: "));
        if (flag) {
            return help + ".";
        }
        Map<String, List<String>> owners = new LinkedHashMap<>();
        same.forEach(d -> owners.computeIfAbsent(fallback(d.option()), f -> new ArrayList<>())
                .add(d.owner()));
        String defaults = owners.size() == 1
                ? owners.keySet().iterator().next()
                : owners.entrySet().stream()
                        .map(e -> String.join(", ", e.getValue()) + " " + e.getKey())
                        .collect(Collectors.joining("; "));
        return help + " (default: " + defaults + ").";
    }

    private static String help(Option<?> option) {
        return option.help() + (option.choices().isEmpty() ? "" : ": " + either(option.choices()));
    }

    private static String fallback(Option<?> option) {
        String text = String.valueOf(option.fallback());
        String value = text.isEmpty() ? "none" : text.replaceAll("\\.0$", "");
        return value + (option.source().isEmpty() ? "" : ", " + option.source());
    }

    /** Joins some names, the last two by "or". */
    static String either(List<String> names) {
        int last = names.size() - 1;
        return last < 1 ? String.join("", names) : String.join(", ", names.subList(0, last)) + " or " + names.get(last);
    }

    /** Returns the given values of an owner's options, by the names in their declarations. */
    Map<String, String> given(String owner) {
        Map<String, String> values = new LinkedHashMap<>();
        byName.forEach((name, same) -> same.stream()
                .filter(d -> d.owner().equals(owner))
                .forEach(d -> {
                    Object value = spec.findOption("--" + name).getValue();
                    if (value != null) {
                        values.put(d.option().name(), value.toString());
                    }
                }));
        return values;
    }

    /**
     * Refuses given options that belong to none of the chosen owners, or that have no effect.
     *
     * @param command whose options were given
     * @param chosen the owners that were chosen
     * @param without options without effect beside the values of other options, with the values that give them one
     */
    void check(Command command, List<String> chosen, Map<? extends Option<?>, String> without) {
        byName.forEach((name, same) -> {
            List<String> owners = same.stream().map(Declared::owner).toList();
            command.only(
                    owners.stream().anyMatch(chosen::contains), "with " + selector + " " + and(owners), "--" + name);
        });
        without.forEach(
                (option, when) -> command.only(false, "with settings " + when, optionOf(chosen, option.name())));
    }

    /** Joins some names, the last two by "and". */
    static String and(List<String> names) {
        int last = names.size() - 1;
        return last < 1
                ? String.join("", names)
                : String.join(", ", names.subList(0, last)) + " and " + names.get(last);
    }

    /** Returns the names of all options, with their dashes. */
    Set<String> names() {
        return byName.keySet().stream().map(n -> "--" + n).collect(Collectors.toSet());
    }

    /** Returns the option of a name in the declarations of some owners; if none declares it, the name with dashes. */
    String optionOf(List<String> owners, String declared) {
        return byName.entrySet().stream()
                .filter(e -> e.getValue().stream()
                        .anyMatch(d ->
                                owners.contains(d.owner()) && d.option().name().equals(declared)))
                .map(e -> "--" + e.getKey())
                .findFirst()
                .orElse("--" + declared);
    }

    /** Replaces a declared option's name at the start of a library's message by the command-line option. */
    String inTermsOfOptions(String owner, String message) {
        String first = message == null ? "" : message.split(" ", 2)[0];
        boolean declared = byName.values().stream()
                .flatMap(List::stream)
                .anyMatch(d -> d.owner().equals(owner) && d.option().name().equals(first));
        return declared ? optionOf(List.of(owner), first) + message.substring(first.length()) : message;
    }
}
