"""Stage II: fine-tuning on pictures. This side makes what a model is taught out of a dataset's rows.

`targets` writes answers, `prompts` asks for them, `flip` mirrors a sample, `encode` makes tokens, `collate` batches,
`losses` compares, `examples` puts these in a row. The run itself calls `Collator` and `compute_loss`.
"""
