"""What a reader of faces has to beat: the training mean, the landmark models raw, two published pipelines, a ridge.

`design` is the input that fitted ones read, `raw`, `fitted` and `sbca` are the methods, `saved` keeps fitted ones on
disk, `make` gives a predictor by name. Baselines see pictures through `evaluation.features` alone.
"""

from semanticface_training.evaluation.baselines.make import NAMES, make

__all__ = ["NAMES", "make"]
