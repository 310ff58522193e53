// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report.page;

import com.google.gson.JsonObject;
import io.github.simclr4j.cli.report.HtmlPage;
import io.github.simclr4j.cli.report.JsonRecord;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The report of the quickstart: an evaluation, and the training before it. */
public final class QuickstartPage {
    private QuickstartPage() {}

    /**
     * Returns the page.
     *
     * @param result the JSON result of {@code quickstart}, with the training's {@code history} and {@code trainingSettings}
     * @param views images beside their views
     * @param pictures images of the evaluation
     */
    public static HtmlPage of(JsonObject result, List<ViewRow> views, EvaluationPictures pictures) {
        JsonRecord record = new JsonRecord(result);
        HtmlPage page = EvaluatePage.begin(
                "An encoder trained without labels",
                "Quickstart report · drawn images of " + record.list("classes").size() + " classes");
        EvaluatePage.addTo(page, record, pictures);
        PretrainPage.warnings(page, record);
        if (!record.list("history").isEmpty()) {
            new TrainingCurves(record, "Training curves").addTo(page);
        }
        String recipe = record.text("trainingSettings", "training.views");
        PretrainPage.views(page, recipe, views);
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("Encoder", record.text("encoder"));
        facts.put("SHA-256 of the encoder", record.text("encoderSha256"));
        EvaluatePage.dataFacts(record, facts);
        Sections.facts(page, "Encoder and images", facts);
        Sections.facts(page, "Training settings", PretrainPage.plain(record.facts("trainingSettings")));
        Sections.command(page, record.text("command"));
        return Sections.end(page, record.text("version"));
    }
}
