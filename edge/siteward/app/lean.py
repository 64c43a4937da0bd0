"""What core leaves out of its memory before anything is imported: OpenSSL and pydantic's plug-ins (decision 0017)."""

import os
import sys
from types import ModuleType


class _Absent(Exception):
    """Stands for anything of the ssl module: may be named and handed on, never used."""

    def __init__(self, *_: object, **__: object) -> None:
        raise RuntimeError("core was started without TLS: it speaks to nobody over an open network")


class _NoTls(ModuleType):
    """Stands where the ssl module belongs, for libraries that name its constants when they are imported."""

    def __getattr__(self, name: str) -> type[_Absent]:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Absent


def leave_out() -> None:
    """Start as on a Python that was built without OpenSSL; does nothing where ssl is loaded already.

    asyncio and hashlib do without it by their own rules: no TLS transports, and the interpreter's own hash functions
    instead of OpenSSL's. Core never listens on a network and calls nobody over TLS (architecture section 1).
    """
    if "ssl" in sys.modules:
        return
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    sys.modules["_hashlib"] = None  # type: ignore[assignment]
    sys.modules["ssl"] = None  # type: ignore[assignment]
    import asyncio  # noqa: F401

    sys.modules["ssl"] = _NoTls("ssl")
