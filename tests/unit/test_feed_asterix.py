"""ASTERIX over UDP: unicast, multicast on the loopback, sites, senders, garbage, overload."""

from __future__ import annotations

import os
import random
import socket
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.feed_samples import block, plot
from tests.feed_servers import wait_for, watched

from adiz.errors import FaultyInputError
from adiz.sources.feeds import from_table
from adiz.sources.feeds.asterix import FOREIGN, LOST

GROUP = "239.255.71.48"
SITE = "37.5,129.0,100"


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _feed(port: int, **options: Any) -> Any:
    return from_table({"name": "radar", "kind": "asterix", "port": port, **options})


def _now_of_day() -> float:
    now = datetime.now(UTC)
    return (now - now.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()


def _plots(count: int, **options: Any) -> bytes:
    records = [plot(_now_of_day(), number=n, **options) for n in range(count)]
    return block(48, *records)


@pytest.fixture
def sender() -> Any:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        yield sock


def _send_until(true: Any, sender: Any, data: bytes, to: tuple[str, int]) -> None:
    """Nothing says when a socket is open: send again until something has come."""

    def sent() -> Any:
        sender.sendto(data, to)
        time.sleep(0.02)
        return true()

    wait_for(sent)


def test_datagrams_become_reports_of_now(sender: Any) -> None:
    port = _free_port()
    with watched(_feed(port, interface="127.0.0.1", site=SITE)) as watcher:
        _send_until(watcher.height, sender, _plots(3), ("127.0.0.1", port))
    reports = watcher.reports
    assert set(reports["track_id"]) == {"25-12-0", "25-12-1", "25-12-2"}
    assert abs((reports["time"].max() - datetime.now(UTC)).total_seconds()) < 10  # type: ignore[operator]
    assert reports["source"].unique().to_list() == ["radar"]
    assert watcher.told == [("up",)]


@pytest.mark.parametrize("interface", ["127.0.0.1", "lo"])
def test_a_multicast_group_is_joined_and_no_other_is_heard(sender: Any, interface: str) -> None:
    port = _free_port()
    with watched(_feed(port, group=GROUP, interface=interface, site=SITE)) as watcher:
        other = _plots(1, sensor=(1, 1))
        for to in (("239.255.71.49", port), ("127.0.0.1", port)):
            sender.sendto(other, to)
        _send_until(watcher.height, sender, _plots(2), (GROUP, port))
        sender.sendto(other, ("239.255.71.49", port))
        time.sleep(0.3)
    assert set(watcher.reports["track_id"]) == {"25-12-0", "25-12-1"}


def test_two_feeds_can_hear_one_group(sender: Any) -> None:
    port = _free_port()
    options = {"group": GROUP, "interface": "127.0.0.1", "site": SITE}
    with watched(_feed(port, **options)) as first, watched(_feed(port, **options)) as second:
        _send_until(lambda: first.height() and second.height(), sender, _plots(1), (GROUP, port))


def test_a_group_of_ipv6_is_joined() -> None:
    group, port = "ff12::7148", _free_port()
    lo = socket.if_nametoindex("lo")
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
        try:
            sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, lo)
            sender.sendto(b"", (group, port))
        except OSError as error:
            pytest.skip(f"no multicast of IPv6 on this machine's loopback: {error}")
        with watched(_feed(port, group=group, interface="lo", site=SITE)) as watcher:
            _send_until(watcher.height, sender, _plots(2), (group, port))


def test_radars_stand_where_they_are_said_to(sender: Any) -> None:
    port = _free_port()
    sites = {"25/12": [10.0, 20.0, 0.0], "25/13": [-10.0, 20.0, 0.0]}
    data = _plots(1) + _plots(1, sensor=(25, 13)) + _plots(1, sensor=(25, 14))
    with watched(_feed(port, interface="127.0.0.1", sites=sites)) as watcher:
        _send_until(lambda: watcher.height() > 1, sender, data, ("127.0.0.1", port))
    places = dict(zip(watcher.reports["track_id"], watcher.reports["lat_deg"], strict=True))
    assert places["25-12-0"] == pytest.approx(10, abs=0.1)
    assert places["25-13-0"] == pytest.approx(-10, abs=0.1)
    assert watcher.rejected["no site of its radar is known"] >= 1


def test_the_one_site_is_that_of_the_first_radar_only(sender: Any) -> None:
    port = _free_port()
    data = _plots(1) + _plots(1, sensor=(25, 13))
    with watched(_feed(port, interface="127.0.0.1", site=SITE)) as watcher:
        _send_until(watcher.height, sender, data, ("127.0.0.1", port))
    assert set(watcher.reports["track_id"]) == {"25-12-0"}
    assert watcher.rejected["no site of its radar is known"] >= 1


def test_midnight_passes_rightly(sender: Any) -> None:
    """A time of day is dated by when it was received: the nearest moment that has it."""
    port = _free_port()
    later = (_now_of_day() + 3600) % 86_400
    with watched(_feed(port, interface="127.0.0.1", site=SITE)) as watcher:
        data = block(48, plot(later, number=1))
        _send_until(watcher.height, sender, data, ("127.0.0.1", port))
    ahead = (watcher.reports["time"][0] - datetime.now(UTC)).total_seconds()
    assert ahead == pytest.approx(3600, abs=10)


def test_datagrams_of_others_are_counted_and_left_out(sender: Any) -> None:
    port = _free_port()
    options = {"interface": "127.0.0.1", "site": SITE, "senders": ["127.0.0.2"]}
    with watched(_feed(port, **options)) as watcher:
        _send_until(lambda: FOREIGN in watcher.rejected, sender, _plots(1), ("127.0.0.1", port))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as friend:
            friend.bind(("127.0.0.2", 0))
            _send_until(watcher.height, friend, _plots(1), ("127.0.0.1", port))


def test_garbage_is_counted_and_in_the_end_down(sender: Any) -> None:
    port, source = _free_port(), random.Random(4)
    damaged = [bytes([48]) + source.randbytes(source.randint(0, 60)) for _ in range(200)]
    damaged += [b"", os.urandom(9000), block(48, b"\xff" * 50)]
    with watched(_feed(port, interface="127.0.0.1", silent_s=1.0, site=SITE)) as watcher:
        until_s = time.monotonic() + 10
        while not watcher.told and time.monotonic() < until_s:
            sender.sendto(source.choice(damaged), ("127.0.0.1", port))
            time.sleep(0.01)
    assert watcher.told[0][0] == "down"
    assert "nothing usable came for 1 s" in watcher.told[0][1]
    assert sum(watcher.rejected.values()) > 20


def test_silence_and_a_port_that_is_taken_are_down(sender: Any) -> None:
    port = _free_port()
    with watched(_feed(port, interface="127.0.0.1", silent_s=1.0)) as watcher:
        wait_for(lambda: watcher.told)
    assert watcher.told == [("down", f"UDP port {port}: nothing came for 1 s")]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", port))
        with watched(_feed(port, interface="127.0.0.1")) as watcher:
            wait_for(lambda: watcher.told)
    assert watcher.told == [("down", f"UDP port {port}: address already in use")]
    with watched(_feed(port, group=GROUP, interface="nosuch0")) as watcher:
        wait_for(lambda: watcher.told)
    assert watcher.told[0][0] == "down"


def test_what_the_system_had_to_drop_is_counted(sender: Any) -> None:
    """A blocked watch: what does not fit into the system's buffer is lost, and counted."""
    port, held = _free_port(), [True]
    feed = _feed(port, interface="127.0.0.1", site=SITE, buffer_mb=0.1)
    data, count = _plots(2), 3_000
    with watched(feed) as watcher:
        _send_until(watcher.height, sender, data, ("127.0.0.1", port))
        inner = watcher.supervisor._emit  # type: ignore[attr-defined]

        def emit(name: str, batch: Any) -> None:
            while held[0]:
                time.sleep(0.01)
            inner(name, batch)

        watcher.supervisor._emit = emit  # type: ignore[attr-defined]
        before = watcher.height() + sum(watcher.rejected.values())
        for _ in range(count):
            sender.sendto(data, ("127.0.0.1", port))
        held[0] = False

        def all_told() -> bool:
            sender.sendto(data, ("127.0.0.1", port))
            time.sleep(0.05)
            return LOST in watcher.rejected

        wait_for(all_told)
        time.sleep(0.3)
    assert watcher.rejected[LOST] > 100
    datagrams = (watcher.height() - before) / 2 + watcher.rejected[LOST]
    assert datagrams == pytest.approx(count, abs=60)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"group": "10.0.0.1"}, "is no address of a group (field feeds.radar.group)"),
        ({"group": "here"}, "'here' is no address"),
        ({"interface": "eth0"}, "'eth0' is no address (field feeds.radar.interface)"),
        ({"senders": ["x"]}, "(field feeds.radar.senders)"),
        ({"sites": {"25-12": SITE}}, "write SAC/SIC"),
        ({"sites": {"25/12": "37,129"}}, "is no site of a sensor"),
        ({"site": 5}, "is not what this has to be"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(FaultyInputError) as raised:
        _feed(8600, **options)
    assert said in str(raised.value)
