"""What core leaves out of its memory before anything is imported: OpenSSL, plug-ins, forms (decision 0017)."""

import http
import os
import sys
from types import ModuleType

_UNUSED = (
    "ssl",
    "importlib.metadata",
    "logging.config",
    "configparser",
    "starlette.formparsers",
    "pymodbus.datastore",
    "pymodbus.simulator",
)
"""Named by the libraries at import, and never used by core."""


class _Absent(Exception):
    """Stands for anything of a module left out: may be named and handed on, never used."""

    def __init__(self, *_: object, **__: object) -> None:
        raise RuntimeError("core was started without this module: see siteward.app.lean")


class _LeftOut(ModuleType):
    """Stands where a module belongs, for libraries that name its contents when they are imported."""

    def __getattr__(self, name: str) -> type[_Absent]:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Absent


def leave_out() -> None:
    """Start as on a Python that was built without OpenSSL; does nothing where ssl is loaded already.

    asyncio and hashlib do without it by their own rules: no TLS transports, and the interpreter's own hash functions
    instead of OpenSSL's. Core never listens on a network and calls nobody over TLS (architecture section 1). pydantic
    is told to look for no plug-ins, so it needs no catalogue of installed packages; uvicorn is given no log set-up, in
    no ini file; Starlette gets no forms, and of the HTTP client only the phrases of the status codes.
    """
    if "ssl" in sys.modules:
        return
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    sys.modules["_hashlib"] = None  # type: ignore[assignment]
    sys.modules["ssl"] = None  # type: ignore[assignment]
    sys.modules["python_multipart"] = None  # type: ignore[assignment]
    sys.modules["asyncio.sslproto"] = _LeftOut("asyncio.sslproto")
    import asyncio  # noqa: F401

    for name in _UNUSED:
        sys.modules[name] = _LeftOut(name)
    phrases = _LeftOut("http.client")
    phrases.__dict__["responses"] = {status.value: status.phrase for status in http.HTTPStatus}
    sys.modules["http.client"] = http.__dict__["client"] = phrases
