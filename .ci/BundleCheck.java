// SPDX-License-Identifier: Apache-2.0

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/**
 * Checks a folder that is to be published: what Maven Central asks for (https://central.sonatype.org/publish/requirements) but the
 * signatures, and what this project promises of its jars. Run as {@code java .ci/BundleCheck.java FOLDER}; exit code 1 names what
 * is wrong.
 */
final class BundleCheck {
    private static final String GROUP = "io.github.simclr4j";
    private static final String CLI = "simclr4j-cli";
    /** What every POM must say, itself or by its parent. */
    private static final List<String> METADATA = List.of("name", "description", "url", "licenses/license/name", "licenses/license/url",
            "developers/developer/name", "scm/connection", "scm/developerConnection", "scm/url");
    /** What a module must say itself. */
    private static final Set<String> OWN = Set.of("name", "description");
    private static final int JAVA_17 = 61;

    private final Path group;
    private final List<String> wrong = new ArrayList<>();
    private final Map<String, Element> poms = new HashMap<>();
    private int files;

    private BundleCheck(Path bundle) {
        group = bundle.resolve(GROUP.replace('.', '/'));
    }

    public static void main(String[] args) throws Exception {
        BundleCheck check = new BundleCheck(Path.of(args[0]));
        check.run();
        check.wrong.forEach(w -> System.err.println("bundle: " + w));
        if (!check.wrong.isEmpty()) {
            System.exit(1);
        }
        System.out.println("bundle: " + check.poms.size() + " modules, " + check.files + " files, complete");
    }

    private void run() throws Exception {
        Set<String> found = new TreeSet<>();
        for (Path artifact : list(group)) {
            String id = artifact.getFileName().toString();
            found.add(id);
            List<Path> versions = list(artifact).stream().filter(Files::isDirectory).toList();
            if (versions.size() != 1) {
                wrong.add(id + " has the versions " + versions + ", expected one");
                continue;
            }
            poms.put(id, pom(versions.get(0).resolve(id + "-" + versions.get(0).getFileName() + ".pom")));
        }
        Set<String> expected = new TreeSet<>(managed(poms.get("simclr4j-bom")));
        expected.addAll(List.of("simclr4j-parent", "simclr4j-bom"));
        if (!expected.equals(found)) {
            wrong.add("the bundle has " + found + ", the BOM asks for " + expected);
        }
        for (String id : found) {
            module(id);
        }
    }

    private void module(String id) throws Exception {
        Path folder = list(group.resolve(id)).stream().filter(Files::isDirectory).findFirst().orElseThrow();
        String version = folder.getFileName().toString();
        String base = id + "-" + version;
        String text = Files.readString(folder.resolve(base + ".pom"));
        check(!text.contains("SNAPSHOT"), id + ": the POM names a snapshot");
        for (String name : METADATA) {
            String value = value(poms.get(id), name);
            if (value == null && !OWN.contains(name) && parent(id) != null) {
                value = value(poms.get("simclr4j-parent"), name);
            }
            check(value != null && !value.isBlank(), id + ": the POM has no " + name);
        }
        Set<String> names = list(folder).stream().map(f -> f.getFileName().toString()).collect(Collectors.toCollection(TreeSet::new));
        List<String> needed = new ArrayList<>(List.of(base + ".pom"));
        boolean jar = value(poms.get(id), "packaging") == null;
        if (jar) {
            needed.addAll(List.of(base + ".jar", base + "-sources.jar", base + "-javadoc.jar", base + "-cyclonedx.json"));
        }
        if (id.equals(CLI)) {
            needed.add(base + "-standalone.jar");
        }
        for (String name : needed) {
            check(names.contains(name), id + ": " + name + " is missing");
        }
        for (String name : names) {
            if (!name.matches(".*\\.(md5|sha1|sha256|sha512)|maven-metadata.*")) {
                files++;
                sum(folder.resolve(name), "md5", "MD5");
                sum(folder.resolve(name), "sha1", "SHA-1");
            }
            if (name.endsWith(".jar")) {
                licence(folder.resolve(name));
            }
        }
        if (jar && names.containsAll(needed)) {
            classes(folder.resolve(base + ".jar"), version, false);
            sources(folder.resolve(base + ".jar"), folder.resolve(base + "-sources.jar"));
            try (JarFile javadoc = new JarFile(folder.resolve(base + "-javadoc.jar").toFile())) {
                check(javadoc.getEntry("index.html") != null, javadoc.getName() + " has no index.html");
            }
            if (id.equals(CLI)) {
                standalone(folder.resolve(base + "-standalone.jar"), version);
            }
        }
    }

    private void sum(Path file, String extension, String algorithm) throws Exception {
        Path sum = file.resolveSibling(file.getFileName() + "." + extension);
        byte[] digest = MessageDigest.getInstance(algorithm).digest(Files.readAllBytes(file));
        check(Files.exists(sum) && Files.readString(sum).strip().equals(HexFormat.of().formatHex(digest)),
                file.getFileName() + " has no right ." + extension);
    }

    private void licence(Path jar) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            for (String name : List.of("META-INF/LICENSE", "META-INF/NOTICE")) {
                check(file.getEntry(name) != null, jar.getFileName() + " has no " + name);
            }
        }
    }

    private void classes(Path jar, String version, boolean standalone) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            Attributes manifest = file.getManifest().getMainAttributes();
            check(version.equals(manifest.getValue("Implementation-Version")), jar.getFileName() + ": no Implementation-Version");
            check(standalone || manifest.getValue("Automatic-Module-Name") != null, jar.getFileName() + ": no Automatic-Module-Name");
            for (var entry : (Iterable<java.util.jar.JarEntry>) file.stream()::iterator) {
                if (entry.getName().endsWith(".class") && !entry.getName().startsWith("META-INF/versions/")) {
                    try (InputStream in = file.getInputStream(entry)) {
                        byte[] head = in.readNBytes(8);
                        check(((head[6] & 255) << 8 | head[7] & 255) <= JAVA_17, jar.getFileName() + ": " + entry.getName()
                                + " needs a Java newer than 17");
                    }
                }
            }
        }
    }

    /** Every class must have its source, and what else there is must be in the other jar too: nothing of the tests. */
    private void sources(Path jar, Path sources) throws IOException {
        try (JarFile classes = new JarFile(jar.toFile()); JarFile java = new JarFile(sources.toFile())) {
            classes.stream().map(e -> e.getName()).filter(n -> n.endsWith(".class") && !n.contains("$"))
                    .map(n -> n.replaceFirst("\\.class$", ".java")).filter(n -> java.getEntry(n) == null)
                    .forEach(n -> wrong.add(sources.getFileName() + " has no " + n));
            java.stream().filter(e -> !e.isDirectory()).map(e -> e.getName())
                    .filter(n -> !n.endsWith(".java") && classes.getEntry(n) == null)
                    .forEach(n -> wrong.add(sources.getFileName() + " has " + n));
        }
    }

    private void standalone(Path jar, String version) throws IOException {
        classes(jar, version, true);
        try (JarFile file = new JarFile(jar.toFile())) {
            Attributes manifest = file.getManifest().getMainAttributes();
            check("io.github.simclr4j.cli.Launcher".equals(manifest.getValue("Main-Class")), jar.getFileName() + ": no Main-Class");
            check("true".equals(manifest.getValue("Multi-Release")), jar.getFileName() + ": not Multi-Release");
            // Of both modules: services of the same name were joined.
            String protocols = new String(file.getInputStream(file.getEntry(
                    "META-INF/services/io.github.simclr4j.tribuo.evaluation.Protocol")).readAllBytes());
            check(protocols.contains("io.github.simclr4j.tribuo.") && protocols.contains("io.github.simclr4j.train."),
                    jar.getFileName() + ": services were not joined");
            for (String library : List.of("protobuf-java", "onnxruntime", "jline", "progressbar", "jts-core")) {
                check(file.stream().anyMatch(e -> e.getName().startsWith("META-INF/licenses/" + library)),
                        jar.getFileName() + " has no licence of " + library);
            }
            check(file.getEntry("META-INF/THIRD-PARTY.md") != null, jar.getFileName() + " has no list of its libraries");
            for (String system : List.of("linux-x64", "linux-aarch64", "osx-aarch64", "win-x64")) {
                check(file.stream().anyMatch(e -> e.getName().startsWith("ai/onnxruntime/native/" + system + "/")
                        && !e.isDirectory()), jar.getFileName() + " has no ONNX Runtime for " + system);
            }
            file.stream().map(e -> e.getName())
                    .filter(n -> n.matches("META-INF/[^/]+\\.(SF|RSA|DSA)|.*\\.dSYM/.*|.*module-info\\.class|.*libtorch_cpu.*"))
                    .forEach(n -> wrong.add(jar.getFileName() + " has " + n));
        }
    }

    private void check(boolean right, String otherwise) {
        if (!right) {
            wrong.add(otherwise);
        }
    }

    private String parent(String id) {
        return value(poms.get(id), "parent/artifactId");
    }

    private static List<String> managed(Element bom) {
        List<String> ids = new ArrayList<>();
        var all = bom.getElementsByTagName("dependency");
        for (int i = 0; i < all.getLength(); i++) {
            ids.add(value((Element) all.item(i), "artifactId"));
        }
        return ids;
    }

    private static Element pom(Path file) throws Exception {
        Document document = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file.toFile());
        return document.getDocumentElement();
    }

    /** The text of the first element at the end of a path, or null. */
    private static String value(Element element, String path) {
        Element at = element;
        for (String name : path.split("/")) {
            Element next = null;
            for (Node n = at.getFirstChild(); n != null && next == null; n = n.getNextSibling()) {
                next = n instanceof Element e && e.getTagName().equals(name) ? e : null;
            }
            if (next == null) {
                return null;
            }
            at = next;
        }
        return at.getTextContent();
    }

    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }
}
