// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * Features as a JSON object a line: {@code path}, {@code label} where the image has one, and the array {@code embedding}. As a bulk
 * file each object is a document of Elasticsearch or OpenSearch, behind a line with the action {@code index}, which names no index: that
 * is in the request's path. A document's {@code _id} is the SHA-256 of its path, so that loading a set again replaces documents; a path
 * itself may be longer than the 512 bytes that an {@code _id} may have.
 */
final class JsonFeatures extends TextFeatures {
    private static final Gson JSON = new GsonBuilder().disableHtmlEscaping().create();

    private final boolean bulk;

    /**
     * Opens a file.
     *
     * @param bulk whether each object follows a line with an action
     */
    JsonFeatures(Path file, boolean bulk) throws IOException {
        super(file, List.of());
        this.bulk = bulk;
    }

    @Override
    public void add(String name, String label, float[] features) throws IOException {
        if (bulk) {
            line("{\"index\":{\"_id\":\""
                    + new Sha256().update(name.getBytes(StandardCharsets.UTF_8)).hex() + "\"}}");
        }
        line("{\"path\":" + JSON.toJson(name) + (label == null ? "" : ",\"label\":" + JSON.toJson(label))
                + ",\"embedding\":[" + numbers(features) + "]}");
    }
}
