// SPDX-License-Identifier: Apache-2.0
/** Encoders as embedding models of LangChain4j, for images. */
package io.github.simclr4j.langchain4j;
