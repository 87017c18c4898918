"""How well flight plans find their flights, on generated worlds and with what is missing or wrong.

    python benchmarks/correlation.py [--worlds N]

Writes ``benchmarks/results/correlation.md``.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from adiz.identify.ats import parse_ats
from adiz.identify.correlate import correlate, split_flights
from adiz.identify.plans import build_plans
from adiz.simulate.world import Settings, World, make_world
from adiz.tracks.sightings import find_leaps

Plans = Callable[[str], str]
Reports = Callable[[pl.DataFrame], pl.DataFrame]


def no_code(text: str) -> str:
    return re.sub(r" CODE/\w+", "", text)


def no_day(text: str) -> str:
    return re.sub(r" DOF/\d+", "", text)


def no_callsigns(reports: pl.DataFrame) -> pl.DataFrame:
    return reports.with_columns(pl.lit(None, pl.String).alias("callsign"))


def slips(reports: pl.DataFrame) -> pl.DataFrame:
    """Every tenth flight sends its callsign with two letters exchanged."""
    known = reports["icao24"].unique().sort().to_list()
    wrong = random.Random(1).sample(known, len(known) // 10)
    slipped = pl.col("callsign").str.replace("^(.)(.)(.)", "$1$3$2")
    there = pl.col("icao24").is_in(wrong)
    return reports.with_columns(
        pl.when(there).then(slipped).otherwise("callsign").alias("callsign")
    )


LINES: dict[str, tuple[Plans, Reports]] = {
    "addresses and callsigns": (str, lambda r: r),
    "plans without addresses": (no_code, lambda r: r),
    "plans without addresses and days": (lambda t: no_code(no_day(t)), lambda r: r),
    "reports without callsigns": (str, no_callsigns),
    "every tenth callsign with a slip": (str, slips),
    "the same, plans without addresses": (no_code, slips),
}


def tomorrow(text: str) -> str:
    """The same flight a day later: other plans with the same callsigns."""
    return re.sub(r"DOF/(\d{4})(\d\d)", lambda m: f"DOF/{m[1]}{int(m[2]) + 1:02d}", text)


def answers(world: World, plans: Plans, reports: Reports) -> Iterable[str]:
    table = reports(world.reports())
    texts = [plans(plan.text) for plan in world.plans]
    texts += [tomorrow(text) for text in texts if "DOF/" in text]
    leaping = {track for leap in find_leaps(table) for track in leap.track_ids}
    found = correlate(split_flights(table), build_plans([parse_ats("\n".join(texts))], {}), leaping)
    truth: dict[str, set[str]] = {}
    days = {(p.callsign, f"{p.off_block:%y%m%d}") for p in world.plans}
    for plan in world.plans:
        truth.setdefault(plan.icao24, set()).add(plan.callsign)
    for track, flown in found.items():
        for one in flown:
            has = track in truth
            if one.match is None:
                yield f"{one.status}, {'has one' if has else 'has none'}"
                continue
            message = one.match.plan.message
            day = message.other.get("DOF")
            right = message.callsign in truth.get(track, ()) and (
                day is None or (message.callsign, day) in days
            )
            yield "right" if right else "wrong"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--worlds", type=int, default=4)
    worlds = parser.parse_args().worlds
    lines = [
        f"# Flight plans and their flights, {datetime.now(UTC):%Y-%m-%d}",
        "",
        f"{worlds} worlds of about 400 flights and 3 hours to a line: a report every 15 s with "
        "100 m of noise, 5 % lost, every fifth flight silent for minutes; one plan in seven 20 to "
        "60 min late or 40 to 80 NM off the route, one airliner in ten without a plan, and the "
        "same plans again for the next day. Right: a flight given its own plan of its own day.",
        "",
        "| what is known | flights | right plan | wrong plan | has a plan: ambiguous | has a plan: "
        "none found | has none: none found | has none: ambiguous |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, (plans, reports) in LINES.items():
        counts: Counter[str] = Counter()
        for seed in range(1, worlds + 1):
            world = make_world(
                Settings(
                    aircraft=400, seed=seed, period_s=15.0, noise_m=100.0, dropout=0.05, holes=0.2
                )
            )
            counts.update(answers(world, plans, reports))
        kinds = ("right", "wrong", "ambiguous, has one", "none, has one", "none, has none")
        cells = [counts[kind] for kind in (*kinds, "ambiguous, has none")]
        lines.append(f"| {name} | {counts.total()} | {' | '.join(map(str, cells))} |")
        print(lines[-1], file=sys.stderr, flush=True)
    out = Path(__file__).parent / "results" / "correlation.md"
    out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
