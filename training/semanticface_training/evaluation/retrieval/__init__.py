"""The retrieval evaluator: two encoders that know which motion belongs to which picture, and the table made with them.

    options         what decides a training
    pictures        what the picture encoder sees
    encoders        the networks
    features        features of a frozen network in their place; `qwen_embedding`: those of Qwen3-VL-Embedding
    training        symmetric InfoNCE, early stop
    evaluator       fit, save, load, embed
    files           on disk
    tables          R-Precision and distance of methods, ground truth, chance and shuffled pairs

It is trained on true pairs alone and knows no predictor.
"""

from semanticface_training.evaluation.retrieval.tables import table

__all__ = ["table"]
