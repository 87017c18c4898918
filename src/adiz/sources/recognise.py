"""What kind of file this is: its content is asked, not its name."""

from __future__ import annotations

import re

from adiz.errors import Fault, ReportsError
from adiz.sources.asterix_items import PROFILES
from adiz.sources.files import HEAD_BYTES, Input, as_utf8
from adiz.sources.pcap import is_pcap

_OTHERS = {
    b"PK\x03\x04": ("a ZIP archive", "unpack it (a KMZ holds a KML)"),
    b"\x28\xb5\x2f\xfd": ("zstd-packed", "unpack it with zstd -d"),
    b"BZh": ("bzip2-packed", "unpack it"),
    b"\xfd7zXZ": ("xz-packed", "unpack it"),
    b"\x80\x04\x95": ("a Python pickle, which can run any code when opened", "save it as Parquet"),
    b"\x80\x05\x95": ("a Python pickle, which can run any code when opened", "save it as Parquet"),
    b"\x89HDF": ("an HDF5 file", "save it as Parquet"),
    b"ARROW1": ("an Arrow file", "save it as Parquet"),
    b"SQLite format": ("an SQLite database", "export it as CSV"),
}
# The first line may be cut: any message tells. But a heading may well begin with "ID,time".
_BASESTATION = re.compile(rb"^(?:MSG,[1-8]|(?:SEL|ID|AIR|STA|CLK),\d?),", re.MULTILINE)
# A receiver's stream may be recorded from the middle of a message.
_BEAST = re.compile(rb".{0,44}?(?:\x1a[1-4].{8,44}?){2}(?:\x1a[1-4]|\Z)", re.DOTALL)
_ASTERIX = {*PROFILES, 1, 2, 8, 19, 20, 23, 25, 63, 65, 247}
_ASTERIX_BLOCK_OCTETS = 1 << 13
"""A first block that were longer could be text: two printable characters as a length."""
_XML_ROOT = re.compile(rb"<(?:[\w.-]+:)?([A-Za-z][\w.-]*)")


def recognise(item: Input) -> str:
    """The name of the format, one of :data:`adiz.sources.read.READERS`.

    Raises:
        ReportsError: empty, binary of an unknown kind, or text of a kind that holds no reports.
    """
    head = item.head()
    if head[:4] == b"PAR1":
        return "parquet"
    for magic, (kind, remedy) in _OTHERS.items():
        if head.startswith(magic):
            raise ReportsError(Fault(f"this is {kind}", item.name, remedy=remedy))
    if is_pcap(head):
        return "pcap"
    if _BEAST.match(head):
        return "beast"
    if _is_asterix(head):
        return "asterix"
    text = as_utf8(head).lstrip()
    if not text:
        raise ReportsError(Fault("the file is empty", item.name))
    if b"\x00" in text:
        raise ReportsError(
            Fault(
                "this is binary and of no known kind",
                item.name,
                remedy="known are Parquet, CSV, JSON, GPX, KML, GeoJSON, BaseStation text, "
                "Beast, ASTERIX and pcap",
            )
        )
    if text[:1] in (b"{", b"["):
        return "json"
    if _BASESTATION.search(text):
        return "basestation"
    if text[:1] == b"<":
        return _xml_kind(text, item.name)
    return "csv"


def _is_asterix(head: bytes) -> bool:
    """Whether blocks follow each other from the first octet to the last, the last perhaps cut."""
    at = 0
    while at + 3 <= len(head):
        length = int.from_bytes(head[at + 1 : at + 3], "big")
        if not 3 < length < _ASTERIX_BLOCK_OCTETS or (at == 0 and head[0] not in _ASTERIX):
            return False
        at += length
    return at > 0 and (at == len(head) or len(head) == HEAD_BYTES)


def _xml_kind(text: bytes, name: str) -> str:
    root = _XML_ROOT.search(re.sub(rb"<!--.*?-->", b"", text, flags=re.DOTALL))
    kind = root.group(1).decode().lower() if root else ""
    if kind in ("gpx", "kml"):
        return kind
    raise ReportsError(
        Fault(f"XML of the kind '{kind}' holds no reports", name, remedy="known are GPX and KML")
    )
