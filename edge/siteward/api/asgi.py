"""uvicorn's server without uvicorn's command line, which core would carry for life and never use (decision 0017)."""

import sys
from types import ModuleType


class _NoCommandLine(ModuleType):
    """Stands where uvicorn.main belongs, which drags in click, multiprocessing and the reloader."""

    main = run = None

    def __getattr__(self, name: str) -> object:
        if name != "Server":
            raise AttributeError(name)
        from uvicorn.server import Server

        return Server


sys.modules.setdefault("uvicorn.main", _NoCommandLine("uvicorn.main"))

from uvicorn import Config, Server  # noqa: E402
from uvicorn.protocols.http.h11_impl import H11Protocol  # noqa: E402

__all__ = ["Config", "H11Protocol", "Server"]
