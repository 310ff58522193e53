// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class PrefetcherTest {
    private final ExecutorService pool = Executors.newFixedThreadPool(3);

    @AfterEach
    void end() {
        pool.shutdownNow();
    }

    private static Iterator<Integer> numbers(int n) {
        return IntStream.range(0, n).iterator();
    }

    @Test
    void resultsComeInOrderAndInAnyPortions() throws Exception {
        Prefetcher<Integer, Integer> p = new Prefetcher<>(pool, numbers(101), 7, i -> {
            LockSupport.parkNanos(ThreadLocalRandom.current().nextInt(200_000));
            return i * i;
        });
        List<Integer> all = new ArrayList<>();
        for (int count = 1; p.hasNext(); count = count % 7 + 1) {
            all.addAll(p.next(count));
        }
        assertEquals(IntStream.range(0, 101).map(i -> i * i).boxed().toList(), all);
        assertThrows(NoSuchElementException.class, () -> p.next(1));
    }

    @Test
    void noMoreThanTheCapacityIsBegun() throws Exception {
        AtomicInteger begun = new AtomicInteger();
        Prefetcher<Integer, Integer> p = new Prefetcher<>(pool, numbers(100), 5, i -> {
            begun.incrementAndGet();
            return i;
        });
        assertEquals(List.of(0, 1), p.next(2));
        assertTrue(begun.get() <= 5);
        p.fill();
        Thread.sleep(50);
        assertEquals(7, begun.get());
    }

    @Test
    void aFailureComesAfterTheResultsBeforeAndStays() throws Exception {
        Prefetcher<Integer, Integer> p = new Prefetcher<>(pool, numbers(9), 9, i -> {
            if (i == 2) {
                throw new IllegalStateException("two");
            }
            return i;
        });
        assertEquals(List.of(0, 1), p.next(2));
        for (int i = 0; i < 2; i++) {
            assertEquals(
                    "two",
                    assertThrows(ExecutionException.class, () -> p.next(2))
                            .getCause()
                            .getMessage());
        }
    }

    @Test
    void whatPullingThrowsComesAfterTheResultsBefore() throws Exception {
        Iterator<Integer> items = IntStream.range(0, 9)
                .map(i -> {
                    if (i == 3) {
                        throw new IllegalArgumentException("row 3");
                    }
                    return i;
                })
                .iterator();
        Prefetcher<Integer, Integer> p = new Prefetcher<>(pool, items, 4, i -> i);
        assertEquals(List.of(0, 1, 2), p.next(9));
        assertEquals(
                "row 3",
                assertThrows(IllegalArgumentException.class, p::hasNext).getMessage());
    }

    @Test
    void anInterruptLosesNothing() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        Prefetcher<Integer, Integer> p = new Prefetcher<>(pool, numbers(2), 2, i -> {
            go.await();
            return i;
        });
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> p.next(2));
        assertFalse(p.await(2, 1_000_000), "not yet");
        go.countDown();
        assertEquals(List.of(0, 1), p.next(2));
    }

    @Test
    void cancellingEndsAWait() throws Exception {
        CountDownLatch running = new CountDownLatch(1);
        Prefetcher<Integer, Integer> p = new Prefetcher<>(pool, numbers(2), 2, i -> {
            running.countDown();
            new CountDownLatch(1).await();
            return i;
        });
        p.fill();
        running.await();
        Thread other = new Thread(() -> p.cancel(true));
        other.start();
        assertThrows(CancellationException.class, () -> p.next(1));
        other.join();
        assertThrows(CancellationException.class, () -> p.next(1));
    }
}
