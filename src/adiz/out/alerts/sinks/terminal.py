"""Plain lines on a terminal, with a bell where one is wanted."""

from __future__ import annotations

import sys
from typing import TextIO

from adiz.events import iso
from adiz.options import Option
from adiz.out.alerts.message import Message
from adiz.out.alerts.model import FailedError, Retry, SinkBase
from adiz.out.alerts.setting import Setting

OPTIONS = (
    Option("stream", "text", "stderr or stdout", default="stderr", choices=("stderr", "stdout")),
    Option("bell", "truth", "ring the terminal's bell with each line", default=False),
)


def make(setting: Setting) -> TerminalSink:
    """The sink that a table describes."""
    stream = sys.stdout if setting["stream"] == "stdout" else sys.stderr
    return TerminalSink(setting.name, stream, bell=setting["bell"], retry=setting.retry)


class TerminalSink(SinkBase):
    """One line an alert: when it was, what kind, and the sentence."""

    kind = "terminal"

    def __init__(
        self, name: str, stream: TextIO, *, bell: bool = False, retry: Retry | None = None
    ) -> None:
        super().__init__(name, retry)
        self._stream = stream
        self._bell = bell

    def deliver(self, message: Message) -> None:
        """Write the line; every text in a message is printable already."""
        event = message.event
        line = f"{iso(event.time_us)}  {event.kind}  {message.text}\n"
        try:
            self._stream.write(line + ("\a" if self._bell else ""))
            self._stream.flush()
        except UnicodeEncodeError:
            self._stream.write(line.encode("ascii", "backslashreplace").decode())
            self._stream.flush()
        except (OSError, ValueError) as error:
            raise FailedError(f"the terminal is gone: {error}", down=True) from None
