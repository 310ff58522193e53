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
 * Writes features as one JSON object per line: {@code path}, {@code label} if the image has one, and the array
 * {@code embedding}. In a bulk file each object is a document for Elasticsearch or OpenSearch and follows a line with
 * the action {@code index}. The action names no index, because the path of the request does. A document's {@code _id}
 * is the SHA-256 of its path, so that loading a set again replaces its documents; a path itself may exceed the limit of
 * 512 bytes for an {@code _id}.
 */
final class JsonFeatures extends TextFeatures {
    private static final Gson JSON = new GsonBuilder().disableHtmlEscaping().create();

    private final boolean bulk;

    /**
     * Opens a file.
     *
     * @param bulk whether a line with an action precedes each object
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
