"""Frames out of video files, image sequences, single images and bytes, each with its exact number and time.

`source` names media, `reader` opens it, `frames` reads frame expressions and `timecode` writes timecode: these
four import the standard library only. `video`, `stills` and `images` decode and are imported when something is
opened. This room knows nothing of faces, engines or jobs.
"""

from semanticface.media.reader import MediaInfo, MediaReader, Picture, open_media
from semanticface.media.source import MediaKind, MediaRef

__all__ = ["MediaInfo", "MediaKind", "MediaReader", "MediaRef", "Picture", "open_media"]
