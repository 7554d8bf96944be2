"""Which profile a server is asked with: an installed checkpoint's, or one that was written down with the server.

Only the profile is needed, not the weights: those are on the server. This module knows nothing of requests.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from semanticface.engines.mllm.checkpoint import checkpoint_folders
from semanticface.engines.mllm.profile import FILE_NAME, MAX_BYTES, Profile, load_profile, parse_profile
from semanticface.engines.remote.settings import Server
from semanticface.errors import AssetError


def profile_of(server: Server) -> Profile:
    """The server's profile. Raises AssetError when its checkpoint has none here, or a field is wrong."""
    if not isinstance(server.profile, str):
        try:
            return parse_profile(server.profile)
        except AssetError as error:
            raise AssetError(f"server {server.name}: {error.message}", error.hint) from None
    folders = checkpoint_folders()
    if server.profile not in folders:
        names = ", ".join(folders) or "none"
        hint = "give the profile.json itself: semanticface remote add ... --profile FILE"
        raise AssetError(f"server {server.name}: no checkpoint {server.profile!r} is here (here: {names})", hint)
    return load_profile(folders[server.profile])


def profile_argument(text: str) -> str | dict[str, Any]:
    """What the user named: a file or folder with a profile, whose checked content is kept, or else a checkpoint."""
    path = Path(text)
    if path.is_dir() and (path / FILE_NAME).is_file():
        return load_profile(path).to_dict()
    if not path.is_file():
        return text
    try:
        if path.stat().st_size > MAX_BYTES:
            raise AssetError(f"{path} is larger than {MAX_BYTES} bytes: that is no profile")
        return parse_profile(json.loads(path.read_text(encoding="utf-8"))).to_dict()
    except (OSError, ValueError, RecursionError) as error:
        raise AssetError(f"{path} can't be read as a profile: {error}") from error
