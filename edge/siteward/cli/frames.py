"""`frames`: what travelled on a wire lately, as a file for a spreadsheet or for Wireshark."""

import asyncio
from pathlib import Path

from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Screen
from siteward.client.client import Client
from siteward.model.frames import FrameFormat


async def frames(client: Client, screen: Screen, line: str, file: Path, last_s: float) -> int:
    """Write the frames of the last seconds to a file; its ending says the form. Raises CommandFailed."""
    ending = file.suffix.lstrip(".").lower()
    if ending not in set(FrameFormat):
        raise CommandFailed(
            f"{file}: the ending must be .csv or .pcap", "name the file so that its form is known", "BAD_USE"
        )
    data = await client.frames(line, FrameFormat(ending), last_s)
    try:
        await asyncio.to_thread(file.write_bytes, data)
    except OSError as error:
        raise CommandFailed(f"{file} cannot be written: {error.strerror}", "choose another folder") from error
    if screen.as_json:
        screen.data({"line": line, "file": str(file), "bytes": len(data)})
    else:
        screen.show([f"{len(data)} bytes of line {line} written to {file}"])
    return 0
