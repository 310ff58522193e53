// SPDX-License-Identifier: Apache-2.0
/** Training telemetry: metrics of the embeddings, nearest-neighbour accuracy, and the diagnosis of failing runs. */
package io.github.simclr4j.train.monitor;
