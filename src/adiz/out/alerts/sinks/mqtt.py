"""Alerts to an MQTT broker, QoS 1: delivered when the broker has acknowledged it (PUBACK)."""

from __future__ import annotations

import re
import ssl
import threading
from typing import TYPE_CHECKING, Any

from adiz.options import Option, OptionError
from adiz.out.alerts.message import Message
from adiz.out.alerts.model import FailedError, Retry, SinkBase
from adiz.out.alerts.setting import TIMEOUT, TLS, Setting, secret_options
from adiz.out.alerts.sinks.topics import check_template, fill_template

if TYPE_CHECKING:
    from paho.mqtt.client import Client

OPTIONS = (
    Option("host", "text", "the broker"),
    Option("port", "whole", "1883; 8883 with TLS", default=None, least=1, most=65535),
    Option("topic", "text", "where to; a template", default="adiz/{kind}/{zone}"),
    Option("retain", "truth", "the broker keeps the last of each topic", default=False),
    Option("client_id", "text", "what the broker knows this client by", default=""),
    Option("user", "text", "user name", default=None),
    *secret_options("password", "the password"),
    Option("tls", "truth", "encrypt, and check the broker's certificate", default=False),
    TIMEOUT,
    *TLS,
)


def make(setting: Setting) -> MqttSink:
    """The sink that a table describes.

    Raises:
        OptionError: the library is not there, or a value cannot be used.
    """
    try:
        import paho.mqtt.client  # noqa: F401
    except ModuleNotFoundError:
        remedy = "pip install 'adiz[mqtt]'"
        raise OptionError("this kind needs the library paho-mqtt", "kind", remedy) from None
    check_template(setting["topic"], "topic")
    if re.search(r"[+#\0]", setting["topic"]):
        raise OptionError("a topic to publish to has no + and no #", "topic")
    return MqttSink(
        setting.name,
        host=setting["host"],
        port=setting["port"] or (8883 if setting["tls"] else 1883),
        topic=setting["topic"],
        retain=setting["retain"],
        client_id=setting["client_id"],
        user=setting["user"],
        password=setting.secret("password"),
        tls=setting.tls() if setting["tls"] else None,
        timeout_s=setting["timeout_s"],
        retry=setting.retry,
    )


class MqttSink(SinkBase):
    """Publishes one message at a time, so their order is that of the outbox.

    The client is thrown away with every failure: what it had not got through would otherwise go
    out later, behind the outbox's back.
    """

    kind = "mqtt"

    def __init__(
        self,
        name: str,
        *,
        host: str,
        port: int = 1883,
        topic: str = "adiz/{kind}/{zone}",
        retain: bool = False,
        client_id: str = "",
        user: str | None = None,
        password: str | None = None,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = 10.0,
        retry: Retry | None = None,
    ) -> None:
        super().__init__(name, retry)
        self._host, self._port = host, port
        self._topic, self._retain = topic, retain
        self._client_id = client_id
        self._user, self._password = user, password
        self._tls = tls
        self._timeout_s = timeout_s
        self._client: Client | None = None

    def deliver(self, message: Message) -> None:
        """Publish the alert.

        Raises:
            FailedError: no broker, or no acknowledgement in time.
        """
        topic = fill_template(self._topic, message)
        try:
            if self._client is None:
                self._client = self._connect()
            info = self._client.publish(topic, message.json(), qos=1, retain=self._retain)
            info.wait_for_publish(self._timeout_s)
            done = info.is_published()
        except (OSError, ValueError, RuntimeError) as error:
            self.close()
            raise FailedError(f"{type(error).__name__}: {error}", down=True) from None
        if not done:
            self.close()
            raise FailedError(f"not acknowledged within {self._timeout_s:g} s", down=True)

    def check(self) -> bool:
        """A client that has lost its broker is thrown away."""
        if self._client is not None and not self._client.is_connected():
            self.close()
        return False

    def close(self) -> None:
        """Take leave of the broker."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def _connect(self) -> Client:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        client = Client(CallbackAPIVersion.VERSION2, client_id=self._client_id)
        client.connect_timeout = self._timeout_s
        if self._user is not None:
            client.username_pw_set(self._user, self._password)
        if self._tls is not None:
            client.tls_set_context(self._tls)
        answered = threading.Event()
        codes: list[Any] = []

        def on_connect(_client: Any, _data: Any, _flags: Any, code: Any, _more: Any) -> None:
            codes.append(code)
            answered.set()

        client.on_connect = on_connect
        client.connect(self._host, self._port, keepalive=30)
        client.loop_start()
        if answered.wait(self._timeout_s) and not codes[0].is_failure:
            return client
        client.disconnect()
        client.loop_stop()
        raise ConnectionError(
            f"the broker refused: {codes[0]}" if codes else "no answer from the broker"
        )
