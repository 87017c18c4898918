"""What kind of file this is: by its content; the suffix is not asked."""

from __future__ import annotations

from adiz.errors import Fault, ReportsError
from adiz.sources.files import Input


def recognise(item: Input) -> str:
    """The name of the format, one of :data:`adiz.sources.read.READERS`.

    Raises:
        ReportsError: empty, binary of an unknown kind, or text of a kind that holds no reports.
    """
    head = item.head()
    if not head.strip():
        raise ReportsError(Fault("the file is empty", item.name))
    if head[:4] == b"PAR1":
        return "parquet"
    return "csv"
