# SPDX-License-Identifier: GPL-3.0-or-later
"""Identifiers and the texts that stand in more than one place, so that none is spelled twice."""

from __future__ import annotations

ADDON = __package__
"""The add-on's own package, `bl_ext.<repository>.semanticface` as an extension: what Blender knows it by."""

CATEGORY = "SemanticFace"
SETTINGS = "semanticface"
"""Name of the settings on a scene: `scene.semanticface`."""

OP_CONNECT = "semanticface.connect_backend"
OP_DISCONNECT = "semanticface.disconnect_backend"
OP_STOP = "semanticface.stop_backend"
OP_COPY_DIAGNOSTICS = "semanticface.copy_diagnostics"
OP_ANALYZE = "semanticface.analyze_footage"
OP_CANCEL = "semanticface.cancel_analysis"
OP_KEY_TAKE = "semanticface.key_take"
OP_LOAD_ANALYSIS = "semanticface.load_analysis"
OP_ADD_HEAD = "semanticface.add_demo_head"
OP_FIND_TARGETS = "semanticface.find_targets"
OP_ADD_MESHES = "semanticface.add_meshes"
OP_FIND_MESHES = "semanticface.find_meshes"
OP_REMOVE_MESH = "semanticface.remove_mesh"
OP_GUESS_AXES = "semanticface.guess_axes"
OP_EDIT_MAPPING = "semanticface.edit_mapping"
OP_MATCH = "semanticface.match_automatically"
OP_ADD_LINK = "semanticface.add_link"
OP_REMOVE_LINK = "semanticface.remove_link"
OP_DUPLICATE_LINK = "semanticface.duplicate_link"
OP_LOAD_PROFILE = "semanticface.load_profile"
OP_SAVE_PROFILE = "semanticface.save_profile"
OP_REMOVE_PROFILE = "semanticface.remove_profile"
OP_IMPORT_PROFILE = "semanticface.import_profile"
OP_EXPORT_PROFILE = "semanticface.export_profile"

ACTION_PROPERTY = "semanticface"
"""Custom property of an Action that we made: the take's folder and the plan, as JSON text."""

GROUP_SHAPES = "Face"
GROUP_ROTATIONS = "Rotation"
GROUP_PROPERTIES = "Properties"

TAKES_FOLDER = "semanticface"
"""Takes stand in this folder beside the .blend."""
