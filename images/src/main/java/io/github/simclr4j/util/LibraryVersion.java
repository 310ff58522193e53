// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.util;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;

/**
 * Provides the version of this library, which the build writes to a resource.
 *
 * @since 0.1.0
 */
public final class LibraryVersion {
    private LibraryVersion() {}

    /** Returns the version, such as {@code 0.1.0}. */
    public static String current() {
        Properties p = new Properties();
        try (InputStream in = LibraryVersion.class.getResourceAsStream("build.properties")) {
            p.load(in);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return p.getProperty("version");
    }
}
