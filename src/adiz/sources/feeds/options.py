"""Options of feeds: declared as those of the rest of a configuration."""

from adiz.options import REQUIRED, Kind, Option, OptionError, nearest, read_options

__all__ = ["REQUIRED", "Kind", "Option", "OptionError", "nearest", "read_options"]
