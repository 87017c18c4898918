"""Expressions that turn a recognised column into one of the reports table.

They work on whole columns, eagerly or lazily alike. Numbers of an epoch say their unit by their
size: below 1e11 seconds, below 1e14 milliseconds, below 1e17 microseconds, else nanoseconds. What
does not then lie between March 1973 (1e8 s) and the year 2100 is rejected as unparsable: it may be
seconds since the start of a recording, or digits of a date.
"""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from adiz.errors import Fault, ReportsError

_EARLIEST_US, _LATEST_US = 10**14, 4_102_444_800_000_000
_UTC = pl.Datetime("us", "UTC")
_NAIVE = pl.Datetime("us")
_ISO = "%Y-%m-%dT%H:%M:%S%.f%#z"
# Year, month, day; hour, minute; seconds with fraction; zone. Anything the standard and the usual
# tools write: a blank for T, slashes or nothing between the parts, a comma in the fraction.
_STAMP = (
    r"^\s*(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})(?:[T ]+|$)"
    r"(?:(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,](\d+))?)?)?\s*(Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?\s*$"
)
REMEDY = "tell the zone of the clock: time_zone='UTC' (--time-zone UTC), or any IANA name"


_FEW = 0.05
"""Up to this share of times without a zone, beside others with one, is taken for damage."""


def check_zone(name: str | None) -> None:
    """Raise a ReportsError unless the name is None or an IANA time zone."""
    if name is None:
        return
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ReportsError(
            Fault(
                f"'{name}' is no time zone", field="time", remedy="use an IANA name, as Asia/Seoul"
            )
        ) from None


def moment(text: str | datetime | None, time_zone: str | None) -> datetime | None:
    """A moment as a user writes it, in UTC; a date alone is its midnight in UTC.

    Raises:
        ReportsError: it is none, or names no zone and ``time_zone`` is None.
    """
    from zoneinfo import ZoneInfo

    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text) if isinstance(text, str) else text
    except ValueError:
        raise _no_moment(text, "is no moment") from None
    if when.tzinfo is None:
        if isinstance(text, str) and len(text) == len("2024-05-31"):
            return when.replace(tzinfo=UTC)
        if time_zone is None:
            raise _no_moment(text, "names no zone")
        when = when.replace(tzinfo=ZoneInfo(time_zone))
    return when.astimezone(UTC)


def _no_moment(text: str | datetime, why: str) -> ReportsError:
    remedy = "write 2024-05-31, or 2024-05-31T21:47:51Z"
    return ReportsError(Fault(f"'{text}' {why}", field="start", remedy=remedy))


def filled(column: str) -> pl.Expr:
    """Text without outer blanks; empty becomes null."""
    text = pl.col(column).cast(pl.String).str.strip_chars()
    return pl.when(text != "").then(text)


def number(
    column: str,
    dtype: pl.DataType,
    factor: float,
    *,
    decimal_comma: bool = False,
    whole: pl.Series | None = None,
) -> pl.Expr:
    """A float64; text that is no number is NaN, so that it differs from a missing value.

    ``whole`` is all of the column, where it is at hand: plain numbers are then read only once.
    """
    plain = None if whole is None else whole.cast(pl.Float64, strict=False)
    if whole is not None and plain is not None and plain.null_count() == whole.null_count():
        expr = pl.lit(plain)
    elif dtype == pl.String:
        text = filled(column)
        value = text.str.replace(",", ".", literal=True) if decimal_comma else text
        parsed = value.cast(pl.Float64, strict=False)
        expr = pl.when(text.is_not_null() & parsed.is_null()).then(float("nan")).otherwise(parsed)
    else:
        expr = pl.col(column).cast(pl.Float64, strict=False)
    return expr if factor == 1.0 else expr * factor


def text(column: str, dtype: pl.DataType) -> pl.Expr:
    """Text without outer blanks; a float that stands for a whole number is written as that."""
    if dtype == pl.String:
        return filled(column)
    value = pl.col(column)
    if not dtype.is_float():
        return value.cast(pl.String, strict=False)
    return pl.when(value.is_finite()).then(value.cast(pl.String).str.strip_suffix(".0"))


def address(column: str, dtype: pl.DataType) -> pl.Expr:
    """A 24-bit address: six lower-case hex digits; anything else, and any number, is null."""
    if dtype != pl.String:
        return pl.lit(None, pl.String)
    lower = filled(column).str.to_lowercase()
    return pl.when(lower.str.contains("^[0-9a-f]{6}$")).then(lower)


def squawk(column: str, dtype: pl.DataType) -> pl.Expr:
    """Four octal digits; leading zeros lost by a number are put back, anything else is null."""
    if dtype.is_float():
        code = pl.col(column).cast(pl.Int64, strict=False).cast(pl.String)
    else:
        code = filled(column)
    code = code.str.strip_suffix(".0").str.zfill(4)
    return pl.when(code.str.contains("^[0-7]{4}$")).then(code)


def truth(column: str, dtype: pl.DataType) -> pl.Expr:
    """A boolean, from true/false, t/f, yes/no, 1/0, -1 (BaseStation) and ground/air."""
    if dtype == pl.Boolean:
        return pl.col(column)
    if dtype.is_numeric():
        return pl.col(column) != 0
    word = filled(column).str.to_lowercase()
    return (
        pl.when(word.is_in(["true", "t", "yes", "y", "1", "1.0", "-1", "ground"]))
        .then(True)
        .when(word.is_in(["false", "f", "no", "n", "0", "0.0", "air", "airborne"]))
        .then(False)
    )


def epoch(value: pl.Expr, whole: bool, factor: float) -> pl.Expr:
    """UTC microseconds from numbers since 1970; ``factor`` 0: unit by magnitude."""
    size = value.abs()
    if factor and whole:  # staying whole: nanoseconds do not fit a float
        scaled = value * int(factor) if factor >= 1 else value // round(1 / factor)
    elif factor:
        scaled = value * factor
    elif whole:
        scaled = (
            pl.when(size < 10**11)
            .then(value * 1_000_000)
            .when(size < 10**14)
            .then(value * 1_000)
            .when(size < 10**17)
            .then(value)
            .otherwise(value // 1_000)
        )
    else:
        scaled = (
            pl.when(size < 1e11)
            .then(value * 1e6)
            .when(size < 1e14)
            .then(value * 1e3)
            .when(size < 1e17)
            .then(value)
            .otherwise(value / 1e3)
        )
    if not whole:
        scaled = pl.when(scaled.is_finite()).then(scaled).round()
    plausible = (scaled >= _EARLIEST_US) & (scaled < _LATEST_US)
    return pl.when(plausible).then(scaled).cast(pl.Int64, strict=False).cast(_UTC)


def time(
    column: str,
    sample: pl.Series,
    *,
    factor: float,
    time_zone: str | None,
    file: str,
    whole: bool = False,
) -> pl.Expr:
    """UTC time from datetimes, epoch numbers or text.

    ``sample`` decides which parser is needed; it is the head of the column, or ``whole``.

    Raises:
        ReportsError: the times carry no zone and none was told.
    """
    dtype = sample.dtype
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is not None:
            return pl.col(column).dt.convert_time_zone("UTC").cast(_UTC)
        return _in_zone(pl.col(column).cast(_NAIVE), time_zone, file, column)
    if dtype.is_numeric():
        whole = dtype.is_integer()
        number_ = pl.col(column).cast(pl.Int64 if whole else pl.Float64, strict=False)
        return epoch(number_, whole, factor)
    if dtype != pl.String:
        return pl.lit(None, _UTC)
    given = sample.drop_nulls().head(10_000)
    given = given.filter(given.str.strip_chars() != "")
    if given.is_empty():
        return pl.lit(None, _UTC)
    numbers = len(given) - given.cast(pl.Float64, strict=False).null_count()
    if numbers == len(given):
        return _epoch_text(column, sample, factor)
    plain = _plain_stamps(sample) if whole else None
    if plain is not None and plain.null_count() == sample.null_count():
        return pl.lit(plain)
    stamps = _stamp_text(column, sample, time_zone, file)
    return pl.coalesce(_epoch_text(column, sample, factor), stamps) if numbers else stamps


def zoneless(column: str) -> pl.Expr:
    """Whether a text is a date or time written out without its zone."""
    parts = pl.col(column).str.extract_groups(_STAMP).struct
    return (parts.field("1").is_not_null() & parts.field("8").is_null()).fill_null(False)


def _epoch_text(column: str, sample: pl.Series, factor: float) -> pl.Expr:
    """Numbers since 1970 as text; whole ones stay whole."""
    words = pl.col(column).str.strip_chars()
    whole = epoch(words.cast(pl.Int64, strict=False), True, factor)
    if sample.cast(pl.Int64, strict=False).null_count() == sample.null_count():
        return whole
    return pl.coalesce(whole, epoch(words.cast(pl.Float64, strict=False), False, factor))


def _plain_stamps(sample: pl.Series) -> pl.Series:
    """Times in the one form that most tools write; null for others."""
    return sample.str.to_datetime(_ISO, time_unit="us", time_zone="UTC", strict=False)


def _stamp_text(column: str, sample: pl.Series, time_zone: str | None, file: str) -> pl.Expr:
    """Date and time written out; with a zone in the text, or in the zone told."""
    naive_there = sample.str.extract_groups(_STAMP).struct
    naive_count = (naive_there.field("1").is_not_null() & naive_there.field("8").is_null()).sum()
    if naive_count and time_zone is None:
        told_count = int(naive_there.field("8").is_not_null().sum())
        if naive_count > _FEW * told_count:
            raise _naive(file, column, sample)
        naive_count = 0  # times cut short or mistyped among good ones: those rows are rejected
    part = pl.col(column).str.extract_groups(_STAMP).struct.field
    padded = [part(str(i)).fill_null("00") for i in (4, 5, 6)]
    zone = part("8").str.replace("^(?:Z|z|UTC|GMT)$", "+00:00")
    local = pl.concat_str(
        part("1"), pl.lit("-"), part("2"), pl.lit("-"), part("3"), pl.lit("T"),
        padded[0], pl.lit(":"), padded[1], pl.lit(":"), padded[2], pl.lit("."),
        part("7").fill_null("0"),
    )  # fmt: skip
    told = (local + zone).str.to_datetime(_ISO, time_unit="us", time_zone="UTC", strict=False)
    if not naive_count:
        return told
    bare = local.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    placed = _in_zone(bare, time_zone, file, column)
    return pl.when(part("8").is_null()).then(placed).otherwise(told)


def _in_zone(naive: pl.Expr, time_zone: str | None, file: str, column: str) -> pl.Expr:
    """A wall-clock time as UTC; null where a change of the clock makes it ambiguous."""
    if time_zone is None:
        raise _naive(file, column, None)
    local = naive.dt.replace_time_zone(time_zone, ambiguous="null", non_existent="null")
    return local.dt.convert_time_zone("UTC")


def _naive(file: str, column: str, sample: pl.Series | None) -> ReportsError:
    example = "" if sample is None else f" ('{str(sample.drop_nulls()[0])[:40]}')"
    return ReportsError(
        Fault(f"times without a time zone{example}", file=file, field=column, remedy=REMEDY)
    )
