"""How well a method reads faces: predictions, metrics, baselines, protocols and reports."""
