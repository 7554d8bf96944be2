"""Curves become assets: AnimSequences that are tagged, read back and compared; Level Sequences, Control Rig keys.

`writer.AssetWriter` fills `ports.Editor`. `names` and `tags` are plain data; everything else calls Unreal, on the game
thread. Knows nothing of takes, queues, menus or dialogs.
"""
