// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tracking;

import java.io.IOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow.Subscription;

/** The text of a response, which fails if it is longer than a limit. */
final class LimitedBody implements BodySubscriber<String> {
    private final BodySubscriber<String> text = BodySubscribers.ofString(StandardCharsets.UTF_8);
    private final long most;
    private Subscription subscription;
    private long read;
    private boolean failed;

    LimitedBody(long most) {
        this.most = most;
    }

    @Override
    public CompletionStage<String> getBody() {
        return text.getBody();
    }

    @Override
    public void onSubscribe(Subscription s) {
        subscription = s;
        text.onSubscribe(s);
    }

    @Override
    public void onNext(List<ByteBuffer> item) {
        read += item.stream().mapToLong(ByteBuffer::remaining).sum();
        if (failed) {
            return;
        }
        if (read > most) {
            failed = true;
            subscription.cancel();
            text.onError(new IOException("the answer is longer than " + most + " bytes"));
        } else {
            text.onNext(item);
        }
    }

    @Override
    public void onError(Throwable e) {
        if (!failed) {
            text.onError(e);
        }
    }

    @Override
    public void onComplete() {
        if (!failed) {
            text.onComplete();
        }
    }
}
