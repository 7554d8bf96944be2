"""A language model on a server of the studio, asked over the OpenAI chat protocol (vLLM, SGLang and others)."""
