"""The real backend with times of a few seconds in place of a minute: `python short_lease.py --lease ...`."""

from __future__ import annotations

import sys
from pathlib import Path

from semanticface.server.__main__ import serve
from semanticface.server.options import Limits, ServeOptions

if __name__ == "__main__":
    log = Path(sys.argv[sys.argv.index("--log") + 1]) if "--log" in sys.argv else None
    serve(ServeOptions(lease_bound=True, log=log, limits=Limits(lease=4.0, grace=3.0)))
