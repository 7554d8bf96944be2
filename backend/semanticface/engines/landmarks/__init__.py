"""The embedded engine: face landmarks, 52 blendshape scores and head pose on any CPU.

It runs the published MediaPipe bundle `face_landmarker.task` with LiteRT, without MediaPipe and without a
network call. The way of a picture: `sampling` cuts crops, `detector` finds faces, `search` looks closer
for small ones, `choosing` picks one, `mesh` gives 478 landmarks, `smoothing` steadies them, `geometry` turns
them into a pose, `coefficients` into named values. `tracker` keeps the state between the frames of a video,
`engine` fills the product's engine interface. Importing this package loads nothing heavy.

Facts about the models that the bundle does not state were read in MediaPipe's published sources
(google-ai-edge/mediapipe, Apache-2.0) and confirmed by measurement against its Python package 1.2.2.
"""
