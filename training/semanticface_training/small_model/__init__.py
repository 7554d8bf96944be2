"""A small Qwen3-VL with a LoRA adapter, trained here in minutes on a CPU until it writes known answers.

Architecture, vocabulary, prompt layout and files are those of the real model, so that tests and measurements run the
whole chain, picture to coefficients, without a GPU and without a hub. It knows a handful of pictures and nothing else.

    python -m semanticface_training.small_model build --out build/small-model

Import from the modules: this room itself loads nothing.
"""
