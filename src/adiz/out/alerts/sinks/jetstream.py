"""Alerts to NATS JetStream: delivered when a stream has stored it (PubAck).

``Nats-Msg-Id`` is the idempotency key: a copy sent within the stream's duplicate window is stored
once.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
from collections.abc import Coroutine
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from adiz.options import Option, OptionError
from adiz.out.alerts.message import Message
from adiz.out.alerts.model import FailedError, Retry, SinkBase
from adiz.out.alerts.setting import TIMEOUT, TLS, Setting, secret_options
from adiz.out.alerts.sinks.topics import check_template, fill_template

if TYPE_CHECKING:
    from nats.aio.client import Client

OPTIONS = (
    Option("servers", "texts", "nats://HOST:PORT or tls://HOST:PORT, one or more"),
    Option("subject", "text", "where to; a template", default="adiz.{kind}.{zone}"),
    Option("stream", "text", "a stream to make for it where there is none", default=None),
    Option("user", "text", "user name", default=None),
    *secret_options("password", "the password"),
    *secret_options("token", "a token"),
    Option("credentials_file", "text", "a .creds file (needs the library nkeys)", default=None),
    TIMEOUT,
    *TLS,
)
_T = TypeVar("_T")


def make(setting: Setting) -> JetStreamSink:
    """The sink that a table describes.

    Raises:
        OptionError: the library is not there, or a value cannot be used.
    """
    try:
        import nats  # noqa: F401
    except ModuleNotFoundError:
        remedy = "pip install 'adiz[nats]'"
        raise OptionError("this kind needs the library nats-py", "kind", remedy) from None
    check_template(setting["subject"], "subject")
    if re.search(r"[\s*>\0]", setting["subject"]):
        raise OptionError("a subject to publish to has no * and no >", "subject")
    for server in setting["servers"]:
        if not re.fullmatch(r"(nats|tls)://[^\s/@]+", server):
            remedy = "write nats://HOST:PORT; a user and a password have options of their own"
            raise OptionError(f"{server!r} is no address", "servers", remedy)
    tls = any(server.startswith("tls:") for server in setting["servers"])
    return JetStreamSink(
        setting.name,
        servers=setting["servers"],
        subject=setting["subject"],
        stream=setting["stream"],
        user=setting["user"],
        password=setting.secret("password"),
        token=setting.secret("token"),
        credentials=setting.path("credentials_file"),
        tls=setting.tls() if tls else None,
        timeout_s=setting["timeout_s"],
        retry=setting.retry,
    )


class JetStreamSink(SinkBase):
    """Publishes one message at a time; its client lives in a loop of its own."""

    kind = "nats"

    def __init__(
        self,
        name: str,
        *,
        servers: list[str],
        subject: str = "adiz.{kind}.{zone}",
        stream: str | None = None,
        user: str | None = None,
        password: str | None = None,
        token: str | None = None,
        credentials: Path | None = None,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = 10.0,
        retry: Retry | None = None,
    ) -> None:
        super().__init__(name, retry)
        self._servers = servers
        self._subject = subject
        self._stream = stream
        self._user, self._password, self._token = user, password, token
        self._credentials = credentials
        self._tls = tls
        self._timeout_s = timeout_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: Client | None = None

    def deliver(self, message: Message) -> None:
        """Publish the alert and wait for the stream.

        Raises:
            FailedError: no server, no stream for the subject, or no answer in time.
        """
        from nats.errors import Error
        from nats.js.errors import NoStreamResponseError

        subject = fill_template(self._subject, message)
        try:
            self._run(self._publish(subject, message))
        except NoStreamResponseError:
            reason = f"no stream takes {subject}: make one, or name it in the sink's option stream"
            raise FailedError(reason, down=True) from None
        except (Error, OSError, FutureTimeoutError, TimeoutError) as error:
            self.close()
            raise FailedError(f"{type(error).__name__}: {error}", down=True) from None

    def close(self) -> None:
        """Close the connection and its loop."""
        loop, self._loop = self._loop, None
        client, self._client = self._client, None
        if loop is not None:

            async def leave() -> None:
                if client is not None:
                    await client.close()
                loop.stop()

            asyncio.run_coroutine_threadsafe(leave(), loop)

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            loop = self._loop
            name = f"alerts-{self.name}-nats"
            threading.Thread(target=_serve, args=(loop,), name=name, daemon=True).start()
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(3 * self._timeout_s)
        except FutureTimeoutError:
            future.cancel()
            raise

    async def _publish(self, subject: str, message: Message) -> None:
        if self._client is None or not self._client.is_connected:
            self._client = await self._connect()
        await self._client.jetstream().publish(
            subject,
            message.json().encode(),
            timeout=self._timeout_s,
            headers={"Nats-Msg-Id": message.key},
        )

    async def _connect(self) -> Client:
        import nats

        async def quiet(_error: Exception) -> None:
            """What goes wrong is told by the call that it happens to."""

        given: dict[str, Any] = {
            "user": self._user,
            "password": self._password,
            "token": self._token,
            "user_credentials": None if self._credentials is None else str(self._credentials),
            "tls": self._tls,
        }
        client = await nats.connect(
            self._servers,
            name="adiz",
            allow_reconnect=False,
            connect_timeout=max(1, round(self._timeout_s)),
            error_cb=quiet,
            **{name: value for name, value in given.items() if value is not None},
        )
        if self._stream is not None:
            await self._have_stream(client, self._stream)
        return client

    async def _have_stream(self, client: Client, stream: str) -> None:
        from nats.js.errors import NotFoundError

        context = client.jetstream(timeout=self._timeout_s)
        try:
            await context.stream_info(stream)
        except NotFoundError:
            pattern = ".".join("*" if "{" in part else part for part in self._subject.split("."))
            await context.add_stream(name=stream, subjects=[pattern])


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()
    loop.close()
