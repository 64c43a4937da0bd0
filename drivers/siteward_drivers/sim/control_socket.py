"""The control socket of a running simulation: one JSON command a line in, one JSON answer a line out."""

import asyncio
import json
from pathlib import Path
from typing import Any

from siteward.model.errors import ConfigError
from siteward_drivers.sim.control import BadCommand, SimControl

_MAX_COMMAND_BYTES = 65_536


class ControlSocket:
    """The control socket: one JSON object a line in, one out; `{"ok": true, ...}` or `{"ok": false, "error": ...}`."""

    def __init__(self, path: Path, control: SimControl) -> None:
        self._path, self._control = path, control
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> None:
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._path, limit=_MAX_COMMAND_BYTES)
        self._path.chmod(0o600)

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
            for writer in tuple(self._open):
                writer.close()
            await self._server.wait_closed()
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            # The other side went away, or sent a line longer than the limit: either way this talk is over.
            return
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            command = json.loads(line)
            if not isinstance(command, dict):
                raise BadCommand("a command is a JSON object")
            return {"ok": True, **await self._control.do(command)}
        except (BadCommand, ConfigError, json.JSONDecodeError, UnicodeDecodeError) as error:
            return {"ok": False, "error": str(error)}
