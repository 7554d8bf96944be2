"""SemanticFace: Qwen3-VL with a LoRA adapter, which looks at a picture and writes an analysis and 61 values.

A *checkpoint* is a base model, an adapter and a `profile`. `picture` and `prompt` make the model's input, `loading`
brings it into memory, `skeleton` decodes, `values` reads numbers off digit distributions, `engine` is what the worker
sees. Nothing here is imported before it is used: torch takes seconds.
"""
