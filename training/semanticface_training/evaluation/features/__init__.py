"""What the landmark models see in a picture, raw, before it becomes coefficients: the ground that baselines stand on.

`records` is the shape of what is seen and its file on disk, `extract` runs the models over a dataset's pictures or a
clip's frames. Nothing here knows truth, names of actions beyond the models' own, or metrics.
"""
