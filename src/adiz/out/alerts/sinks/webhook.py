"""Alerts as HTTP POST of JSON, signed after the Standard Webhooks specification (version 1).

Headers: ``webhook-id`` (the idempotency key), ``webhook-timestamp`` (seconds since 1970 at this
try) and, with a secret, ``webhook-signature``: ``v1,`` and base64 of HMAC-SHA256 over id, timestamp
and body, joined by full stops. ``Idempotency-Key`` repeats the key.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import http.client
import re
import socket
import ssl
import threading
import urllib.parse
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from adiz import __version__, clock
from adiz.options import Option, OptionError
from adiz.out.alerts.message import Message
from adiz.out.alerts.model import FailedError, RefusedError, Retry, SinkBase
from adiz.out.alerts.setting import TIMEOUT, TLS, Setting, secret_options
from adiz.out.alerts.words import clean

OPTIONS = (
    Option("url", "text", "where to; https://… or http://…"),
    TIMEOUT,
    *secret_options("secret", "the secret to sign with"),
    *secret_options("token", "a bearer token for the Authorization header"),
    Option("headers", "table", "more headers, name = text", default={}),
    *TLS,
)
_LATER = (408, 425, 429)  # of the 4xx, those that ask for patience
_MOST = 65_536  # octets of an answer that are read
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def make(setting: Setting) -> WebhookSink:
    """The sink that a table describes.

    Raises:
        OptionError: the address, a header, a secret or a certificate cannot be used.
    """
    url = urllib.parse.urlsplit(setting["url"])
    try:
        port = url.port
    except ValueError:
        raise OptionError(f"{setting['url']!r} has no usable port", "url") from None
    if url.scheme not in ("http", "https") or not url.hostname:
        raise OptionError("this is no address to post to", "url", "write https://…")
    if url.username or url.password:
        raise OptionError("the address holds a password", "url", "use token_env or headers")
    if not url.geturl().isascii() or not url.geturl().isprintable() or " " in url.geturl():
        raise OptionError("the address has characters that need %-encoding", "url")
    headers = dict(setting["headers"])
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or not isinstance(value, str) or not value.isprintable():
            raise OptionError(f"{name!r} cannot be a header", "headers")
    token = setting.secret("token")
    if token:
        headers["Authorization"] = f"Bearer {token}"
    secret = setting.secret("secret")
    return WebhookSink(
        setting.name,
        host=url.hostname,
        port=port,
        target=(url.path or "/") + (f"?{url.query}" if url.query else ""),
        tls=setting.tls() if url.scheme == "https" else None,
        key=_secret_key(secret) if secret else None,
        headers=headers,
        timeout_s=setting["timeout_s"],
        retry=setting.retry,
    )


class WebhookSink(SinkBase):
    """Posts each alert; an answer of 2xx is the acknowledgement.

    Redirects are not followed: a signed alert goes where it was told to go, or nowhere.
    """

    kind = "webhook"

    def __init__(
        self,
        name: str,
        *,
        host: str,
        port: int | None,
        target: str,
        tls: ssl.SSLContext | None = None,
        key: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 10.0,
        retry: Retry | None = None,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        super().__init__(name, retry)
        self._host, self._port, self._target = host, port, target
        self._tls = tls
        self._key = key
        self._headers = dict(headers or {})
        self._timeout_s = timeout_s
        self._now = now
        self._connection: http.client.HTTPConnection | None = None

    def deliver(self, message: Message) -> None:
        """Post the alert.

        Raises:
            FailedError: no answer, 5xx, or an answer that asks to come back later.
            RefusedError: any other answer.
        """
        body = message.json().encode()
        kept = self._connection is not None
        try:
            status, reason, after = self._post(message, body)
        except (ConnectionError, http.client.BadStatusLine):
            if not kept:
                raise FailedError("the connection was closed", down=True) from None
            # A connection kept from the last time may have been closed since: once more, afresh.
            status, reason, after = self._afresh(message, body)
        if 200 <= status < 300:
            return
        said = clean(f"the receiver answered {status} {reason}", 200)
        if status >= 500 or status in _LATER:
            raise FailedError(said, down=status in (429, 503), retry_after_s=after)
        raise RefusedError(said)

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _afresh(self, message: Message, body: bytes) -> tuple[int, str, float | None]:
        try:
            return self._post(message, body)
        except (ConnectionError, http.client.BadStatusLine):
            raise FailedError("the connection was closed", down=True) from None

    def _post(self, message: Message, body: bytes) -> tuple[int, str, float | None]:
        """One request: status, reason, and the seconds of Retry-After."""
        try:
            if self._connection is None:
                self._connection = self._connect()
            with _Deadline(self._connection, self._timeout_s):
                self._connection.request("POST", self._target, body, self._sign(message, body))
                answer = self._connection.getresponse()
                answer.read(_MOST)
            if answer.will_close or not answer.isclosed():
                self.close()
            return answer.status, answer.reason, self._after(answer.headers.get("Retry-After"))
        except (ConnectionError, http.client.BadStatusLine):
            self.close()
            raise
        except TimeoutError:
            self.close()
            raise FailedError(f"no answer within {self._timeout_s:g} s", down=True) from None
        except ssl.SSLError as error:
            self.close()
            raise FailedError(f"TLS: {error.reason or error}", down=True) from None
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise FailedError(f"{type(error).__name__}: {error}", down=True) from None

    def _connect(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=self._timeout_s, context=self._tls
        )

    def _sign(self, message: Message, body: bytes) -> dict[str, str]:
        seconds = str(int(self._now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"adiz/{__version__}",
            **self._headers,
            "Idempotency-Key": message.key,
            "webhook-id": message.key,
            "webhook-timestamp": seconds,
        }
        if self._key is not None:
            signed = f"{message.key}.{seconds}.".encode() + body
            code = base64.b64encode(hmac.digest(self._key, signed, hashlib.sha256)).decode()
            headers["webhook-signature"] = f"v1,{code}"
        return headers

    def _after(self, value: str | None) -> float | None:
        """Seconds of a Retry-After: a number, or a date."""
        if value is None:
            return None
        if value.strip().isdecimal():
            return float(value)
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - self._now()).total_seconds())


class _Deadline:
    """Cuts a connection off: a socket's own timeout starts anew with every octet that drips in."""

    def __init__(self, connection: http.client.HTTPConnection, seconds: float) -> None:
        self._connection = connection
        self._cut = False
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._timer.cancel()
        if self._cut and kind is not None:
            raise TimeoutError

    def _shut(self) -> None:
        self._cut = True
        sock = self._connection.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def _secret_key(secret: str) -> bytes:
    """The octets to sign with: base64 after ``whsec_``, else the text itself."""
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise OptionError(
            "what follows whsec_ is not base64", "secret_env", "copy the secret whole"
        ) from None
