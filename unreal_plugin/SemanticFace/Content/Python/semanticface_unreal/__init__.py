"""The SemanticFace plugin inside Unreal Editor: footage in, AnimSequences on a MetaHuman face out.

Rooms: `engine`, the one place that imports `unreal`; `curve_set` and `baking`, takes to named curves; `batch`, the
queue of jobs, which knows no editor but the ports in `ports`; `writing`, assets; `editor`, menus, dialogs and ticks;
`farm`, the entry for machines without a screen. Only `writing`, `editor` and `farm` may use `engine`.
"""
