"""What each vertex of a head sees past the head itself: rays against the mesh, once for a resting head.

Needs Blender's mathutils, so it is imported only where bpy may be.
"""

from __future__ import annotations

import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree

from semanticface_training.synthetic import light
from semanticface_training.synthetic.ict import Floats, Ints

_REACH, _START = 12.0, 0.05


def visibility(positions: Floats, faces: Ints, rows: Ints, towards: Floats) -> Floats:
    """(V, K) float32: 1 where vertex `rows` see direction `towards` (K, 3), 0 where the mesh is in the way.

    Vertices that aren't in `rows` see everything. Positions (V, 3) in cm, faces (M, 4) with -1 for triangles.
    """
    visible = np.ones((len(positions), len(towards)), np.float32)
    normals = light.vertex_normals(positions, faces)
    polygons = [face[:3] if face[3] < 0 else face for face in faces.tolist()]
    tree = BVHTree.FromPolygons(positions.tolist(), polygons)
    ways = [Vector(way.tolist()) for way in towards]
    facing = normals @ towards.T > 0
    for row in rows.tolist():
        start = Vector((positions[row] + _START * normals[row]).tolist())
        for k in np.flatnonzero(facing[row]).tolist():
            if tree.ray_cast(start, ways[k], _REACH)[0] is not None:
                visible[row, k] = 0.0
    return visible
