"""The card readers of a site, each by its kind."""

from siteward.model.access import Reader, ReaderKind
from siteward.model.ids import LineId
from siteward.model.ports import TokenSource
from siteward.model.site import Line, Site
from siteward_drivers.links import open_link
from siteward_drivers.reader_keys import KeyReader
from siteward_drivers.reader_serial import SerialReader


def build_readers(site: Site) -> tuple[TokenSource, ...]:
    """Make the (still closed) readers of a site. Raises ConfigError for a port that cannot be one."""
    return tuple(_reader(reader) for reader in site.readers)


def _reader(reader: Reader) -> TokenSource:
    if reader.kind is ReaderKind.KEYS:
        return KeyReader(reader.id, reader.port)
    return SerialReader(reader.id, open_link(Line(LineId(reader.id), reader.port, reader.baud)))
