// SPDX-License-Identifier: Apache-2.0
/** Image encoders as LangChain4j embedding models. */
package io.github.simclr4j.langchain4j;
