"""What kind of file this is: its content is asked, not its name."""

from __future__ import annotations

import re

from adiz.errors import Fault, ReportsError
from adiz.sources.files import Input, as_utf8

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
    text = as_utf8(head).lstrip()
    if not text:
        raise ReportsError(Fault("the file is empty", item.name))
    if b"\x00" in text:
        raise ReportsError(
            Fault(
                "this is binary and of no known kind",
                item.name,
                remedy="known are Parquet, CSV, JSON, GPX, KML, GeoJSON and BaseStation text",
            )
        )
    if text[:1] in (b"{", b"["):
        return "json"
    if _BASESTATION.search(text):
        return "basestation"
    if text[:1] == b"<":
        return _xml_kind(text, item.name)
    return "csv"


def _xml_kind(text: bytes, name: str) -> str:
    root = _XML_ROOT.search(re.sub(rb"<!--.*?-->", b"", text, flags=re.DOTALL))
    kind = root.group(1).decode().lower() if root else ""
    if kind in ("gpx", "kml"):
        return kind
    raise ReportsError(
        Fault(f"XML of the kind '{kind}' holds no reports", name, remedy="known are GPX and KML")
    )
