"""Set the boundaries of catalogue zones from published rings.

    python tools/set_rings.py src/adiz/zones/catalogue/united-states.geojson rings.geojson

Each zone of the catalogue file whose id is that of a feature of the second file gets that
feature's rings (Polygons, corners as published). Edges between neighbours of one latitude are
marked as parallels, and as rhumb lines where rounding to 0.00001 degrees parts them (see
docs/explanation/edges.md). The catalogue file is written again in its usual form; without a
second file it is only written again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROUNDING_DEG = 1.5e-5
WIDTH = 100


def ring_of(positions: list[list[float]], hole: bool) -> dict[str, Any]:
    """A ring of a boundary from a closed GeoJSON ring."""
    corners = [position[:2] for position in positions[:-1]]
    parts: list[list[Any]] = []
    for here, there in zip(corners, [*corners[1:], corners[0]], strict=True):
        apart_deg = abs(here[1] - there[1])
        edge = ["parallel"] if apart_deg == 0 else ["rhumb"] if apart_deg < ROUNDING_DEG else []
        parts.append([*here, *edge])
    return {"hole": hole, "parts": parts}


def text_of(catalogue: dict[str, Any]) -> str:
    """A catalogue file: one property a line, corners wrapped."""
    features = ",\n".join(_feature(feature) for feature in catalogue["features"])
    return f'{{\n"type": "FeatureCollection",\n"features": [\n{features}\n]\n}}\n'


def _feature(feature: dict[str, Any]) -> str:
    properties = ",\n".join(
        f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in feature["properties"].items()
    )
    rings = ",\n".join(
        f'  {{"hole": {json.dumps(ring["hole"])}, "parts": [\n{_wrapped(ring["parts"])}]}}'
        for ring in feature["boundary"]
    )
    head = f'{{"type": "Feature", "id": {json.dumps(feature["id"])}, "geometry": null,\n'
    boundary = f"[\n{rings}\n ]" if rings else "[]"
    return f'{head} "properties": {{\n{properties}}},\n "boundary": {boundary}}}'


def _wrapped(parts: list[Any]) -> str:
    lines = ["   "]
    for n, part in enumerate(parts):
        word = json.dumps(part) + ("," if n < len(parts) - 1 else "")
        if len(lines[-1]) + len(word) >= WIDTH and lines[-1].strip():
            lines.append("   ")
        lines[-1] += word + " "
    return "\n".join(line.rstrip() for line in lines)


def main(catalogue_file: str, rings_file: str | None = None) -> None:
    catalogue = json.loads(Path(catalogue_file).read_text("utf-8"))
    published = json.loads(Path(rings_file).read_text("utf-8"))["features"] if rings_file else []
    by_id = {f.get("id") or f["properties"]["id"]: f["geometry"] for f in published}
    for feature in catalogue["features"]:
        geometry = by_id.get(feature["id"])
        if geometry and geometry["type"] == "Polygon":
            rings = geometry["coordinates"]
            feature["boundary"] = [ring_of(ring, n > 0) for n, ring in enumerate(rings)]
            print(feature["id"], len(rings[0]) - 1, "corners")
    Path(catalogue_file).write_text(text_of(catalogue), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
