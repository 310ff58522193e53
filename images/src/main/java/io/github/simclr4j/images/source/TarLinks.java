package io.github.simclr4j.images.source;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Follows the links of a tar archive as a file system would follow them once it is unpacked, but never out of it. A hard link
 * names a member by its path in the archive, a symbolic one by a path from its own folder (POSIX.1-2017, pax, "ustar Interchange
 * Format").
 */
final class TarLinks {
    /** As many links as Linux follows before it takes them for a circle. */
    private static final int LONGEST_CHAIN = 40;

    private record Link(String target, boolean symbolic) {}

    /** Members by their paths without {@code .} and {@code ..}: the name as it stands in the archive. */
    private final TreeMap<String, String> files = new TreeMap<>();
    private final Map<String, Link> links = new HashMap<>();

    /** A file; of several members of one name the last counts. */
    void file(String name) {
        String path = String.join("/", parts(name));
        links.remove(path);
        files.put(path, name);
    }

    /** A link. Returns false for a hard link to itself, which changes nothing. */
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

    /** Returns the name of the file to which a link leads; null if there is none in the archive, or links go round in a circle. */
    String target(String name) {
        String path = resolve(name);
        return path == null ? null : files.get(path);
    }

    /** Returns the members below a folder to which a link leads: the rest of their names; none if it leads to no folder. */
    List<String> below(String name) {
        String folder = resolve(name);
        if (folder == null || (String.join("/", parts(name)) + "/").startsWith(folder + "/")) {
            return List.of();
        }
        // The character behind the slash is the zero.
        return files.subMap(folder + "/", folder + "0").keySet().stream().map(path -> path.substring(folder.length() + 1)).toList();
    }

    /** Returns the name of a file by its path below the folder to which a link leads. */
    String target(String link, String below) {
        return files.get(resolve(link) + "/" + below);
    }

    /** The path behind all links on the way; null where it leaves the archive or does not end. */
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

    /** The parts of a member's name. One that leads out of the archive is kept as it is: nothing is unpacked. */
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
