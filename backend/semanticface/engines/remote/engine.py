"""The remote engine as the product sees it: a server of the studio behind the interface that every engine fills.

Two lanes share one link and its bound on requests in flight: while the last answers of one unit come in, the next
unit's questions are on their way already. Building the engine asks the server what it is (see `survey`).
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from typing import Any

from semanticface.engines.base import EngineInfo, RunOptions, Traits
from semanticface.engines.mllm.profile import Preparation, Profile
from semanticface.engines.remote.asker import Asker
from semanticface.engines.remote.link import Link
from semanticface.engines.remote.options import complete
from semanticface.engines.remote.profiles import profile_of
from semanticface.engines.remote.session import RemoteSession
from semanticface.engines.remote.settings import GrammarStyle, Server, find_server
from semanticface.engines.remote.survey import Findings, survey
from semanticface.errors import OptionsError

log = logging.getLogger(__name__)

VERSION = "1"
"""Goes up when the same answer would be read otherwise: stored results of an older version are not reused."""
LANES = 2


class RemoteEngine:
    """Implements `engines.base.Engine`."""

    def __init__(self, server: Server, profile: Profile, link: Link, found: Findings) -> None:
        """`found` is what `survey` said over this link. The engine closes the link."""
        self._server = server
        self._profile = profile
        self._link = link
        self._asker = Asker(link, server, profile, found.abilities)
        digest = hashlib.sha256(profile.to_json().encode()).hexdigest()[:12]
        made_of = f" ({found.made_of})" if found.made_of not in ("", server.model) else ""
        self._model = f"{server.model}{made_of} profile {profile.name} sha256:{digest}"
        self.info = EngineInfo("remote", VERSION, self._model, f"server {server.name}")
        self.traits = Traits(sequential=False, warmup=0, lanes=LANES, batch=server.concurrency)
        for remark in found.remarks:
            log.warning("server %s: %s", server.name, remark)

    def options(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The options completed from `options.DEFAULTS` and the profile; raises OptionsError that names a wrong one."""
        return complete(values, self._profile)

    def fingerprint(self, options: Mapping[str, Any], video: bool) -> str:
        """The server's name in the user's list, its model as it reports it, profile, and options.

        Not the address: a server may move. Two servers are two, though they serve a model of the same name. Whether a
        grammar holds the answers is part of it, since it can change them; how many frames run at once is not.
        """
        held = "free" if self._asker.abilities.grammar is GrammarStyle.NONE else "grammar"
        shown = json.dumps(complete(options, self._profile), sort_keys=True)
        return f"remote/{VERSION} {self._server.name} {self._model} {held} jpeg={self._server.jpeg} {shown}"

    def session(self, options: RunOptions, video: bool) -> RemoteSession:
        """A fresh session. A video's frames are asked about one by one, like stills."""
        values = complete(options.values, self._profile)
        return RemoteSession(self._link, self._asker, self._server, self._profile, options, values)

    def close(self) -> None:
        """Drop what is in flight and the connections. Closing twice does no harm."""
        self._link.close()


def connect(server: Server) -> RemoteEngine:
    """The engine for this server. Raises EngineError, OptionsError or AssetError that says what to check."""
    profile = profile_of(server)
    if profile.preparation is not Preparation.NONE:
        raise OptionsError(
            f"the profile {profile.name} has its pictures {profile.preparation}, which is done for models here alone",
            "run this checkpoint in the backend itself",
        )
    link = Link(server)
    try:
        found = link.submit(survey(link, server)).result()
    except BaseException:
        link.close()
        raise
    return RemoteEngine(server, profile, link, found)


def load(variant: str = "") -> RemoteEngine:
    """The engine as the backend runs it: for the named server, or the only one."""
    return connect(find_server(variant))
