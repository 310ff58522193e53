/** Encoders as embedding models of LangChain4j, for images. */
package io.github.simclr4j.langchain4j;
