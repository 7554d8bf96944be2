"""Measures of facial actions: each a pure function over arrays, with its definition and source beside it.

    arrays         truth and predictions that belong together, checked once
    subsets        the channels that a table is about: the paper's 13, the 14 of its Table 1, the head
    correlation    Pearson and Spearman of many columns at once
    errors         mean squared error over N x K, and its distribution over frames
    coefficients   a row a channel, and their averages
    detection      actions above a threshold: accuracy, F1, balanced accuracy
    cross          Cross-Comparison
    head_pose      yaw, pitch and roll
    retrieval      R-Precision and multimodal distance of embeddings
    significance   paired tests between two methods
    consistency    pictures in the mirror, sides, single-action sweeps
    temporal       jitter and lag over a video
    agreement      text against numbers

Undefined is None, never 0, and every result says over how many rows it was computed. Nothing here knows of datasets,
engines, files or reports.
"""
