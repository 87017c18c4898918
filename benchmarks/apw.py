"""How good the warnings are: lead time, missed and nuisance rates, on made and on real traffic.

    python benchmarks/apw.py                       the default settings, all worlds
    python benchmarks/apw.py --sweep               other settings beside them
    python benchmarks/apw.py --captures FOLDER     real captures too (see docs)

What the figures mean: ``apw_judge.py``.
"""

from __future__ import annotations

import argparse
import json
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import adiz
import apw_speed
import apw_world as made
from adiz.detect.warnings import WarningsParams
from adiz.run.ahead import find_warnings
from adiz.zones.model import Circle, Limit, Ring, Vertex, Zone, Zones
from apw_judge import entries_of, judge, warnings_of

HERE = Path(__file__).parent
SENSORS = {
    "ADS-B, 5 s": made.ADS_B,
    "ADS-B, 1 s": made.FAST,
    "radar, 5 s": made.RADAR,
    "positions only": made.BARE,
}


def run(
    fleet: made.Fleet, zones: Zones, sensor: made.Sensor, params: WarningsParams, known_s: float
) -> dict[str, Any]:
    truth = fleet.truth()
    changes = find_warnings(fleet.seen_by(sensor), zones, params)
    return judge(changes, entries_of(truth, zones, known_s), adiz.find_stays(truth, zones))


def said(figures: dict[str, Any], least_lead_s: float) -> dict[str, Any]:
    """The figures that are published."""
    lead, entries, warnings = figures["lead"], figures["entries"], figures["warnings"]
    quantile = np.quantile(lead, [0.01, 0.05, 0.5, 0.95]) if len(lead) else [np.nan] * 4
    return {
        "entries": entries,
        "missed": figures["missed"],
        "in_time": float((lead >= least_lead_s).sum() / entries)
        if entries and least_lead_s
        else None,
        "least_lead_s": least_lead_s,
        "lead_s": [round(float(q)) for q in quantile] if len(lead) else None,
        "warnings": warnings,
        "nuisance": figures["nuisance"],
        "open": figures["open"],
        "nuisance_rate": figures["nuisance"] / warnings if warnings else None,
        "cone_first": figures["cone_first"],
    }


# ---- the worlds ----------------------------------------------------------------------------------


def straight(params: WarningsParams, count: int) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for what, zones, least in (("ADIZ", made.adizs(), 300.0), ("belt", made.belts(), 120.0)):
        fleet = made.straight_entries(zones, count, 11)
        for name, sensor in SENSORS.items():
            out[f"{what}, {name}"] = said(run(fleet, zones, sensor, params, least + 120), least)
    return out


def straight_by_angle(params: WarningsParams, count: int) -> dict[str, Any]:
    """Share warned in time by the angle between course and boundary."""
    out: dict[str, Any] = {}
    for what, zones, least in (("ADIZ", made.adizs(), 300.0), ("belt", made.belts(), 120.0)):
        fleet = made.straight_entries(zones, count, 11)
        truth = fleet.truth()
        entries = entries_of(truth, zones, least + 120)
        meant = (entries["entry_time"].to_physical() - made.BEGIN_US) / 1e6 - 1200
        flight = entries["track_id"].str.slice(1).cast(pl.Int64).to_numpy()
        angle = fleet.about["angle"][flight]
        stays = adiz.find_stays(truth, zones)
        for name in ("ADS-B, 5 s", "radar, 5 s"):
            changes = find_warnings(fleet.seen_by(SENSORS[name]), zones, params)
            found = judge(changes, entries, stays)
            good = np.zeros(len(entries), bool)
            good[found["entry"][found["lead"] >= least]] = True
            row = {}
            for low, high in ((2, 5), (5, 10), (10, 20), (20, 45), (45, 90)):
                here = (angle >= low) & (angle < high) & (meant.abs() < 5).to_numpy()
                row[f"{low}-{high}"] = [int(here.sum()), float(good[here].mean())]
            out[f"{what}, {name}"] = row
    return out


def along(params: WarningsParams, count: int) -> dict[str, Any]:
    out: dict[str, Any] = {}
    fleet = made.airway(count, 5)
    stays_on = np.flatnonzero(~fleet.about["leaves"])
    zones = made.wall()
    for name, sensor in SENSORS.items():
        found = run(fleet, zones, sensor, params, 600.0)
        figures = said(found, 0.0)
        changes = find_warnings(fleet.seen_by(sensor), zones, params)
        keeping = pl.Series([f"f{i:05d}" for i in stays_on])
        never = warnings_of(changes).filter(pl.col("track_id").is_in(keeping.implode()))
        figures["flights_that_stay"] = len(stays_on)
        figures["of_them_warned"] = never["track_id"].n_unique()
        out[name] = figures
    return out


def other_worlds(params: WarningsParams, count: int) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name in ("ADS-B, 5 s", "radar, 5 s"):
        sensor = SENSORS[name]
        bend = made.bending_airway(count, 6)
        out[f"airway that bends before the boundary, {name}"] = said(
            run(bend, made.wall(), sensor, params, 600.0), 0.0
        )
        turns = made.turning(count, 7)
        for kind in ("adiz", "territorial"):
            out[f"turns, half towards the zone ({kind}), {name}"] = said(
                run(turns, made.wall(kind), sensor, params, 300.0), 60.0
            )
        out[f"climbs and descents, {name}"] = said(
            run(made.vertical(count, 8), made.layer(), sensor, params, 300.0), 60.0
        )
    from adiz.simulate.world import Settings, make_world

    clean = make_world(Settings(aircraft=500, hours=3.0, period_s=5.0)).reports()
    noisy = make_world(
        Settings(aircraft=500, hours=3.0, period_s=5.0, noise_m=50.0, dropout=0.05, holes=0.1)
    ).reports()
    zones = adiz.zones("KADIZ-2013,CHN-ECS-ADIZ,RKRR-FIR,RJJJ-FIR,LIANCOURT-12NM-KR")
    found = judge(
        find_warnings(noisy, zones, params),
        entries_of(clean, zones, 420.0),
        adiz.find_stays(clean, zones),
    )
    out["simulated airspace of the Sea of Japan"] = said(found, 120.0)
    return out


def real(params: WarningsParams, folder: Path) -> dict[str, Any]:
    """Real captures; the truth is the stays of the same reports."""
    swiss = (
        Zone(
            "BOX",
            "Box",
            (Ring((Vertex(46.4, 7.0), Vertex(46.4, 9.0), Vertex(47.2, 9.0), Vertex(47.2, 7.0))),),
        ),
        Zone(
            "EAST",
            "East of 8°30'E",
            (Ring((Vertex(45.0, 8.5), Vertex(45.0, 12.0), Vertex(48.5, 12.0), Vertex(48.5, 8.5))),),
            kind="fir",
        ),
        Zone("BELT", "Belt", (Ring((Circle(46.9, 7.4, 12 * made.NM),)),), kind="territorial"),
        Zone(
            "LAYER",
            "Layer",
            (Ring((Circle(46.6, 8.3, 25 * made.NM),)),),
            kind="restricted",
            floor=Limit("FL", 10_000.0),
            ceiling=Limit("FL", 30_000.0),
        ),
    )
    out: dict[str, Any] = {}
    for name, file, zones, least in (
        *(("Switzerland, " + z.zone_id, "switzerland.json.gz", Zones((z,)), 120.0) for z in swiss),
        ("C-2A off San Diego", "aircraft_carrier.json.gz", adiz.zones("US-CONUS-2"), 120.0),
    ):
        table = adiz.read(folder / "traffic" / file).table
        found = judge(
            find_warnings(table, zones, params),
            entries_of(table, zones, least + 60),
            adiz.find_stays(table, zones),
        )
        out[name] = said(found, least)
    return out


# ---- telling -------------------------------------------------------------------------------------


def table(rows: dict[str, Any]) -> list[str]:
    lines = [
        "| world | entries | missed | in time | lead s, 1 % / 5 % / median / 95 % | warnings | "
        "open | nuisance | rate |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, f in rows.items():
        lead = " / ".join(map(str, f["lead_s"])) if f["lead_s"] else ""
        share = "" if f["in_time"] is None else f"{100 * f['in_time']:.2f} %"
        in_time = share and f"{share} ({f['least_lead_s']:.0f} s)"
        rate = "" if f["nuisance_rate"] is None else f"{100 * f['nuisance_rate']:.1f} %"
        lines.append(
            f"| {name} | {f['entries']} | {f['missed']} | {in_time} | {lead} | {f['warnings']} | "
            f"{f['open']} | {f['nuisance']} | {rate} |"
        )
    return lines


SWEEP: tuple[dict[str, Any], ...] = (
    {},
    *({"agree": n, "of": m} for n, m in ((1, 1), (2, 4), (4, 5), (5, 8))),
    *({"smooth_s": s} for s in (0.0, 10.0, 60.0)),
    *({"cone_deg": c} for c in (0.0, 5.0, 10.0, 20.0)),
    *({"turn_ahead_s": s} for s in (0.0, 40.0)),
    *({"horizon_s": {"adiz": h, "territorial": b}} for h, b in ((450, 180), (900, 360))),
)


def sweep(count: int, out: Path) -> None:
    """Other settings, one changed at a time."""
    adizs, belts = made.adizs(), made.belts()
    worlds = (
        ("ADIZ", made.straight_entries(adizs, count, 11), adizs, 300.0),
        ("belt", made.straight_entries(belts, count, 11), belts, 120.0),
        ("along", made.airway(count, 5), made.wall(), 0.0),
        ("turns", made.turning(count, 7), made.wall("territorial"), 60.0),
        ("climbs", made.vertical(count, 8), made.layer(), 60.0),
    )
    known = {}
    for what, fleet, zones, least in worlds:
        truth = fleet.truth()
        known[what] = entries_of(truth, zones, least + 120), adiz.find_stays(truth, zones)
    lines = [
        f"# Warnings: one setting changed at a time, {count} flights a world, "
        f"{datetime.now(UTC):%Y-%m-%d}",
        "",
        "Each cell: entries in time (missed); nuisance of warnings; median lead.",
        "",
        "| setting | sensor | " + " | ".join(w for w, *_ in worlds) + " |",
        "|---" * (len(worlds) + 2) + "|",
    ]
    for change in SWEEP:
        params = WarningsParams(**change)
        for name in ("ADS-B, 5 s", "radar, 5 s"):
            cells = []
            for what, fleet, zones, least in worlds:
                seen = fleet.seen_by(SENSORS[name])
                f = said(judge(find_warnings(seen, zones, params), *known[what]), least)
                in_time = "" if f["in_time"] is None else f"{100 * f['in_time']:.1f} %"
                lead = f["lead_s"][2] if f["lead_s"] else ""
                cells.append(
                    f"{in_time} ({f['missed']}); {f['nuisance']} of {f['warnings']}; {lead} s"
                )
            words = ", ".join(f"{k} {v}" for k, v in change.items()) or "default"
            lines.append(f"| {words} | {name} | " + " | ".join(cells) + " |")
            print(lines[-1], flush=True)
    out.mkdir(exist_ok=True)
    (out / "warnings-sweep.md").write_text("\n".join(lines) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="Lead time, missed and nuisance rates.")
    parser.add_argument("--count", type=int, default=2000, help="flights in each world")
    parser.add_argument("--captures", type=Path, help="folder of real captures")
    parser.add_argument("--no-speed", action="store_true", help="leave processor time out")
    parser.add_argument("--sweep", action="store_true", help="print other settings' figures")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    args = parser.parse_args()
    if args.sweep:
        sweep(args.count, args.out)
        return
    params = WarningsParams()
    found: dict[str, Any] = {
        "straight": straight(params, args.count),
        "by_angle": straight_by_angle(params, args.count),
        "along": along(params, args.count),
        "other": other_worlds(params, args.count),
        "real": real(params, args.captures) if args.captures else {},
    }
    if not args.no_speed:
        found["speed"] = speed()
    tell(found, args.out, args.count)


def speed() -> dict[str, Any]:
    """Processor time: zones of every kind, and all of the kind that is warned of furthest ahead."""
    return {
        f"{what}, course noise {noise_deg}°": apw_speed.measure(
            20_000, apw_speed.zones_of(200, kinds), 90, noise_deg
        )
        for what, kinds in (("kinds in turn", apw_speed.KINDS), ("all ADIZ", ("adiz",)))
        for noise_deg in (0.2, 1.0)
    }


def tell(found: dict[str, Any], out: Path, count: int) -> None:
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    lines = [f"# Warnings, {day}", "", f"Default settings, {count:,} flights in each made world. "
             f"{platform.machine()}, Python {platform.python_version()}.", ""]  # fmt: skip
    for title, part in (
        ("Straight entries", "straight"),
        ("Airway traffic along a boundary", "along"),
        ("Other made traffic", "other"),
        ("Real captures", "real"),
    ):
        if found[part]:
            lines += [f"## {title}", "", *table(found[part]), ""]
    lines += ["## Straight entries in time, by the angle to the boundary", ""]
    angles = list(next(iter(found["by_angle"].values())))
    lines += [
        "| world | " + " | ".join(f"{a}°" for a in angles) + " |",
        "|---" * (len(angles) + 1) + "|",
    ]
    for name, row in found["by_angle"].items():
        cells = [f"{100 * share:.1f} % of {n}" for n, share in row.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    kept = found["along"].items()
    lines += ["", "## Flights that kept their airway and were warned of", ""]
    lines += [f"- {n}: {f['of_them_warned']} of {f['flights_that_stay']}" for n, f in kept]
    if "speed" in found:
        lines += ["", "## Processor time for a second of 20,000 aircraft at 1 Hz, 200 zones", ""]
        lines += ["| zones | mean s | median s | 99 % s | solved | standing | state MB |"]
        lines += ["|---" * 7 + "|"]
        for name, f in found["speed"].items():
            lines.append(
                f"| {name} | {f['mean_s']:.3f} | {f['median_s']:.3f} | {f['p99_s']:.3f} | "
                f"{f['solved']:,.0f} | {f['standing']:,.0f} | {f['state_mb']:.1f} |"
            )
    out.mkdir(exist_ok=True)
    (out / "warnings.md").write_text("\n".join(lines) + "\n")
    (out / "warnings.json").write_text(json.dumps({"day": day} | found, indent=1))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
