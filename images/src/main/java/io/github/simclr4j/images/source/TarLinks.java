// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Follows the links of a tar archive as a file system would after unpacking, but never out of the archive. A hard link names a member by
 * its path in the archive, a symbolic link by a path relative to its own folder (POSIX.1-2017, pax, "ustar Interchange Format").
 */
final class TarLinks {
    /** Maximum length of a chain of links, as in Linux. */
    private static final int LONGEST_CHAIN = 40;

    private record Link(String target, boolean symbolic) {}

    /** The names of members in the archive, by their paths without {@code .} and {@code ..}. */
    private final TreeMap<String, String> files = new TreeMap<>();

    private final Map<String, Link> links = new HashMap<>();

    /** Adds a file. Of several members with the same name the last counts. */
    void file(String name) {
        String path = String.join("/", parts(name));
        links.remove(path);
        files.put(path, name);
    }

    /** Adds a link. Returns false for a hard link to itself, which has no effect. */
    boolean link(String name, String target, boolean symbolic) {
        String path = String.join("/", parts(name));
        if (!symbolic && path.equals(String.join("/", parts(target)))) {
            return false;
        }
        files.remove(path);
        links.put(path, new Link(target, symbolic));
        return true;
    }

    boolean isLink(String name) {
        return links.containsKey(String.join("/", parts(name)));
    }

    /** Returns the name of a link's target file, or null if it is not in the archive or links form a cycle. */
    String target(String name) {
        String path = resolve(name);
        return path == null ? null : files.get(path);
    }

    /** Returns the members below a link's target folder, as paths relative to it; none if the target is not a folder. */
    List<String> below(String name) {
        String folder = resolve(name);
        if (folder == null || (String.join("/", parts(name)) + "/").startsWith(folder + "/")) {
            return List.of();
        }
        // The character after the slash in ASCII is 0.
        return files.subMap(folder + "/", folder + "0").keySet().stream()
                .map(path -> path.substring(folder.length() + 1))
                .toList();
    }

    /** Returns the name of a file by its path below a link's target folder. */
    String target(String link, String below) {
        return files.get(resolve(link) + "/" + below);
    }

    /** Resolves all links in a path; returns null if it leaves the archive or does not end. */
    private String resolve(String name) {
        Deque<String> ahead = new ArrayDeque<>(parts(name));
        Deque<String> path = new ArrayDeque<>();
        int followed = 0;
        while (!ahead.isEmpty()) {
            String part = ahead.pop();
            if (part.equals("..")) {
                if (path.pollLast() == null) {
                    return null;
                }
                continue;
            }
            path.addLast(part);
            Link link = links.get(String.join("/", path));
            if (link != null) {
                if (++followed > LONGEST_CHAIN || link.symbolic && link.target.startsWith("/")) {
                    return null;
                }
                if (link.symbolic) {
                    path.removeLast();
                } else {
                    path.clear();
                }
                List<String> target = split(link.target);
                for (int i = target.size() - 1; i >= 0; i--) {
                    ahead.push(target.get(i));
                }
            }
        }
        return String.join("/", path);
    }

    /** Returns the components of a member's name. Names out of the archive are allowed, since nothing is unpacked. */
    private static List<String> parts(String name) {
        List<String> parts = new ArrayList<>();
        for (String part : split(name)) {
            if (part.equals("..") && !parts.isEmpty()) {
                parts.remove(parts.size() - 1);
            } else if (!part.equals("..")) {
                parts.add(part);
            }
        }
        return parts;
    }

    private static List<String> split(String path) {
        List<String> parts = new ArrayList<>();
        for (String part : path.split("/")) {
            if (!part.isEmpty() && !part.equals(".")) {
                parts.add(part);
            }
        }
        return parts;
    }
}
