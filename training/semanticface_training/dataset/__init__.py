"""The dataset on disk, and everything that makes one: recorded takes, folders of pictures, results of the backend.

`table` reads it, `writer` writes it, `card` describes it; the other modules turn sources into rows. This room knows
nothing of language models, prompts and training.
"""
