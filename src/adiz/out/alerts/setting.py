"""What the settings of one sink give beyond their values: secrets, paths, TLS."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adiz.options import Option, OptionError
from adiz.out.alerts.model import Retry

TIMEOUT = Option(
    "timeout_s", "number", "how long one try may take", default=10.0, least=0.1, most=300.0
)
TLS = (
    Option("ca_file", "text", "certificates to trust instead of the system's (PEM)", default=None),
    Option("cert_file", "text", "own certificate (PEM), where one is asked for", default=None),
    Option("key_file", "text", "its private key (PEM); else in `cert_file`", default=None),
)


def secret_options(name: str, meaning: str) -> tuple[Option, Option]:
    """The two options that say where a secret is; the secret itself is never in the file."""
    return (
        Option(f"{name}_env", "text", f"environment variable that holds {meaning}", default=None),
        Option(f"{name}_file", "text", f"file that holds {meaning}", default=None),
    )


@dataclass(frozen=True, slots=True)
class Setting:
    """The checked values of one ``[[sinks]]`` table.

    Attributes:
        values: an entry for every option of the kind.
        base: the folder that relative paths begin at: the configuration's.
    """

    name: str
    retry: Retry
    values: Mapping[str, Any]
    base: Path

    def __getitem__(self, option: str) -> Any:
        return self.values[option]

    def path(self, option: str) -> Path | None:
        """A path, where one is given."""
        value = self.values[option]
        return None if value is None else self.base / value

    def secret(self, name: str) -> str | None:
        """A secret from the environment or a file; None where neither is named.

        Raises:
            OptionError: it is not there, or empty.
        """
        variable, path = self.values[f"{name}_env"], self.path(f"{name}_file")
        if variable is not None:
            found = os.environ.get(variable, "")
            if not found:
                raise OptionError(
                    f"the environment variable {variable} is not set", f"{name}_env", "set it"
                )
            return found
        if path is None:
            return None
        try:
            text = path.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise OptionError(f"{path} cannot be read: {_why(error)}", f"{name}_file") from None
        if not text:
            raise OptionError(f"{path} is empty", f"{name}_file", "write the secret into it")
        return text

    def tls(self) -> ssl.SSLContext:
        """A context that checks the other's certificate and name, and shows one's own.

        Raises:
            OptionError: a certificate cannot be used.
        """
        given, option = self.path("ca_file"), "ca_file"
        try:
            context = ssl.create_default_context(cafile=None if given is None else str(given))
            option = "cert_file"
            certificate, key = self.path("cert_file"), self.path("key_file")
            if certificate is not None:
                # An encrypted key would have OpenSSL ask at the terminal, for ever.
                context.load_cert_chain(certificate, key, password=lambda: "")
        except (OSError, ValueError) as error:
            remedy = "give a PEM file; the key must not be encrypted"
            raise OptionError(
                f"{self.values[option]} cannot be used: {_why(error)}", option, remedy
            ) from None
        return context


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
