"""How well formations are told apart, on generated worlds of different quality.

    python benchmarks/formations.py [--worlds N]

Writes ``benchmarks/results/formations.md``.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from adiz.run.together import find_formations
from adiz.simulate.truth import score_formations
from adiz.simulate.world import Settings, make_world

QUALITIES: dict[str, dict[str, float]] = {
    "clean": {},
    "100 m, 5 % lost": {"noise_m": 100.0, "dropout": 0.05},
    "300 m, 20 % lost, 10 % of flights with holes": {
        "noise_m": 300.0,
        "dropout": 0.2,
        "holes": 0.1,
    },
    "100 m, 5 % lost, 30 % of flights without altitude": {
        "noise_m": 100.0,
        "dropout": 0.05,
        "no_altitude": 0.3,
    },
    "100 m, 5 % lost, a report every 30 s": {"noise_m": 100.0, "dropout": 0.05, "period_s": 30.0},
}
HEAD = "| reports | true | found | right | precision | recall | unclear | joint patrols found |"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--worlds", type=int, default=20)
    worlds = parser.parse_args().worlds
    lines = [
        f"# Formations told apart, {datetime.now(UTC):%Y-%m-%d}",
        "",
        f"{worlds} worlds of about 300 flights and 3 hours to a line, with airway and approach "
        "traffic, tanker orbits, false and doubled addresses. Right: exactly the true members, "
        "over at least half the time. Unclear: the same, but altitudes were unknown.",
        "",
        HEAD,
        "|---|---|---|---|---|---|---|---|",
    ]
    wrong: Counter[tuple[str, str]] = Counter()
    kinds: dict[str, Counter[str]] = {}
    for name, quality in QUALITIES.items():
        true = found = right = unclear = joint = joint_right = 0
        for seed in range(1, worlds + 1):
            world = make_world(Settings(aircraft=300, hours=3.0, seed=seed, **quality))
            states = {f.icao24: f.state for f in world.flights}
            got = find_formations(world.reports(), state_of=states)
            score = score_formations(world, got)
            true, found, right = true + score.true, found + score.found, right + score.right
            unclear += score.unclear
            joint, joint_right = joint + score.joint_true, joint_right + score.joint_right
            wrong.update((name, of) for _, of in score.wrong)
            made = {f.icao24: f.kind for f in world.flights}
            for a, b, kind in got.company.select("track_a", "track_b", "kind").iter_rows():
                pair = " and ".join(sorted({made[a], made[b]}))
                kinds.setdefault(pair, Counter())[kind] += 1
        lines.append(
            f"| {name} | {true} | {found} | {right} | {right / max(found, 1):.3f} | "
            f"{right / max(true, 1):.3f} | {unclear} | {joint_right} of {joint} |"
        )
        print(lines[-1], file=sys.stderr, flush=True)
    lines += ["", "What was found and is not right, by the kinds of its members:", ""]
    lines += [f"- {name}: {of} ({n})" for (name, of), n in wrong.most_common()] or ["- nothing"]
    lines += ["", "How company was judged, all lines together:", ""]
    lines += ["| made as | judged |", "|---|---|"]
    for pair, judged in sorted(kinds.items()):
        lines.append(f"| {pair} | {', '.join(f'{k} {n}' for k, n in judged.most_common())} |")
    out = Path(__file__).parent / "results"
    out.mkdir(exist_ok=True)
    (out / "formations.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
