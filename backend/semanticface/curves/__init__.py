"""Raw results to animation curves: a recipe that is pure and can be replayed without the engine.

For every host that has numpy. Nothing here knows of engines, files of footage, Blender or Unreal; raw results
are never changed, what comes out is a copy.
"""
