"""From facial actions to the names of a rig: profiles, their matching to what a rig has, and their application.

Shared by Blender and Unreal. Nothing here knows of a host: it works on names and numbers.
"""
