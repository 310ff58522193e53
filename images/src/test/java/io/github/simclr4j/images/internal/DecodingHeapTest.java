// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class DecodingHeapTest {
    /** 64 MB, which is 8 megapixels, and 32 MB for files. */
    private final DecodingHeap heap = new DecodingHeap(64 << 20, 32 << 20);

    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void stop() {
        threads.shutdownNow();
    }

    @Test
    void largeImagesWaitForEachOtherAndSmallOnesDoNot() throws Exception {
        CountDownLatch taken = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(1);
        threads.submit(() -> {
            try (DecodingHeap.Lease lease = heap.begin()) {
                lease.take(3000, 2000);
                taken.countDown();
                done.await();
            }
            return null;
        });
        taken.await();
        AtomicInteger large = new AtomicInteger();
        Future<?> second = threads.submit(() -> {
            try (DecodingHeap.Lease lease = heap.begin()) {
                lease.take(3000, 2000);
                return large.incrementAndGet();
            }
        });
        try (DecodingHeap.Lease lease = heap.begin()) {
            lease.take(1000, 1000);
        }
        Thread.sleep(50);
        assertFalse(second.isDone());
        done.countDown();
        assertEquals(1, second.get());
    }

    @Test
    void anImageLargerThanAllIsDecodedAlone() throws Exception {
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        Future<?>[] all = new Future<?>[16];
        for (int i = 0; i < all.length; i++) {
            all[i] = threads.submit(() -> {
                try (DecodingHeap.Lease lease = heap.begin()) {
                    lease.take(9000, 9000);
                    most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                    Thread.sleep(2);
                    inside.decrementAndGet();
                }
                return null;
            });
        }
        for (Future<?> f : all) {
            f.get();
        }
        assertEquals(1, most.get());
    }

    @Test
    void theSameThreadKeepsWhatItHasUntilItsFirstLeaseEnds() throws Exception {
        try (DecodingHeap.Lease outer = heap.begin()) {
            try (DecodingHeap.Lease inner = heap.begin()) {
                inner.take(3000, 2000);
                // In place of what was taken: both together would not fit.
                inner.take(3100, 2000);
                inner.takeAll();
            }
            Future<?> other = threads.submit(() -> {
                try (DecodingHeap.Lease lease = heap.begin()) {
                    lease.take(3000, 2000);
                }
                return null;
            });
            Thread.sleep(50);
            assertFalse(other.isDone());
            outer.giveBack();
            other.get(10, TimeUnit.SECONDS);
        }
    }

    @Test
    void filesAndPixelsThatNeedAllOfThemNeverBlockEachOther() throws Exception {
        Future<?>[] all = new Future<?>[64];
        for (int i = 0; i < all.length; i++) {
            int size = 500 + 97 * i;
            all[i] = threads.submit(() -> {
                try (DecodingHeap.Lease lease = heap.begin()) {
                    lease.takeFile((long) size * size);
                    try (DecodingHeap.Lease inner = heap.begin()) {
                        inner.take(size, size);
                        inner.takeAll();
                    }
                    lease.takeFile(33 << 20);
                }
                return null;
            });
        }
        for (Future<?> f : all) {
            f.get();
        }
    }

    /** An image that is not read because of an interruption would look like a damaged one. */
    @Test
    void anInterruptedThreadReadsItsImageAndStaysInterrupted() throws Exception {
        Future<Boolean> other;
        try (DecodingHeap.Lease lease = heap.begin()) {
            lease.takeAll();
            other = threads.submit(() -> {
                Thread.currentThread().interrupt();
                try (DecodingHeap.Lease waiting = heap.begin()) {
                    waiting.take(3000, 2000);
                }
                return Thread.interrupted();
            });
        }
        assertTrue(other.get());
    }
}
