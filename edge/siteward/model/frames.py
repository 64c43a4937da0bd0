"""What travelled on a wire lately, as a file for people."""

from enum import StrEnum


class FrameFormat(StrEnum):
    """Form of an export: a table for a spreadsheet, or a capture for Wireshark."""

    CSV = "csv"
    PCAP = "pcap"
