// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ReadAheadTest {
    private static Iterator<Integer> numbers(int n) {
        return IntStream.range(0, n).iterator();
    }

    @Test
    void orderIsKeptAndFailuresStayWithTheirItems() {
        ReadAhead<Integer, Integer> batches = new ReadAhead<>(numbers(103), 10, i -> {
            LockSupport.parkNanos(ThreadLocalRandom.current().nextInt(300_000));
            if (i % 7 == 3) {
                throw new IOException("no " + i);
            }
            return i * i;
        });
        List<Integer> seen = new ArrayList<>();
        while (batches.hasNext()) {
            for (ReadAhead.Ready<Integer, Integer> r : batches.next()) {
                seen.add(r.item());
                if (r.item() % 7 == 3) {
                    assertEquals("no " + r.item(), r.failure().getMessage());
                } else {
                    assertEquals(r.item() * r.item(), r.value());
                }
            }
        }
        assertEquals(IntStream.range(0, 103).boxed().toList(), seen);
    }

    @Test
    void theNextBatchIsWorkedOnMeanwhileAndNoMore() throws InterruptedException {
        AtomicInteger pulled = new AtomicInteger();
        CountDownLatch ahead = new CountDownLatch(20);
        Iterator<Integer> items =
                IntStream.range(0, 1000).peek(i -> pulled.incrementAndGet()).iterator();
        ReadAhead<Integer, Integer> batches = new ReadAhead<>(items, 10, i -> {
            ahead.countDown();
            return i;
        });
        assertEquals(10, batches.next().size());
        assertTrue(ahead.await(10, TimeUnit.SECONDS), "the second batch runs though nobody has asked for it");
        assertTrue(pulled.get() <= 21, "pulled " + pulled);
    }

    @Test
    void whatBreaksTheItemsComesAfterTheItemsBefore() {
        Iterator<Integer> items = IntStream.range(0, 30)
                .map(i -> {
                    if (i == 15) {
                        throw new IllegalArgumentException("row 15");
                    }
                    return i;
                })
                .iterator();
        ReadAhead<Integer, Integer> batches = new ReadAhead<>(items, 10, i -> i);
        assertEquals(10, batches.next().size());
        assertEquals(5, batches.next().size());
        assertEquals(
                "row 15",
                assertThrows(IllegalArgumentException.class, batches::hasNext).getMessage());
    }

    @Test
    void threadsEndSoonAfterAnIterationThatWasAbandoned() throws InterruptedException {
        ReadAhead<Integer, Integer> batches = new ReadAhead<>(numbers(1000), 10, i -> i);
        batches.next();
        for (int i = 0; i < 100 && running(); i++) {
            Thread.sleep(100);
        }
        assertFalse(running());
        assertEquals(10, batches.next().get(0).item(), "and start again when they are needed");
    }

    private static boolean running() {
        return Thread.getAllStackTraces().keySet().stream()
                .anyMatch(t -> t.getName().startsWith(ReadAhead.THREAD_NAME));
    }
}
