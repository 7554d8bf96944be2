"""Heads drawn with exact labels: the shipped sample clip, and whole datasets to train and test on.

The head: `ict` (the ICT-FaceKit model), `surface`, `hair`, `light`, `shade` (what of it is drawn, and its colours).
The sample: `motion`, `scene`, `sample`. A dataset: `expressions`, `variation` and `plan` (what each picture shows, from
a seed), `figure` with `ict_figure` and `demo_figure`, `demo_identity`, `occlusion` and `props` (what is drawn), `stage`
(Blender draws it), `finish` (what a camera makes of it), `draw` (one process), `build` (all of them) and `sheet`.
Only `scene`, `occlusion` and `stage` need Blender.
"""
