"""Draw ``results.json`` as SVG: seconds over reports at 203 zones, one line a tool."""

import json
import re
import statistics
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

COLOURS = {
    "adiz": "#d1495b",
    "polars scan": "#8d8d8d",
    "shapely + numpy": "#30638e",
    "DuckDB spatial": "#edae49",
    "MEOS": "#00798c",
    "MovingPandas": "#7a5195",
    "traffic": "#4f772d",
}


def main() -> None:
    with open(sys.argv[1]) as file:
        document = json.load(file)
    lines: dict[str, dict[float, float]] = {}
    for job, taken in document["jobs"].items():
        if size := re.fullmatch(r"(\de\d) x 203", job):
            for tool, one in taken.items():
                if one["seconds"] and tool in COLOURS:
                    lines.setdefault(tool, {})[float(size[1])] = statistics.median(one["seconds"])
    if not lines:
        return
    figure, axes = plt.subplots(figsize=(7.5, 4.8), layout="constrained")
    for tool in sorted(lines, key=lambda tool: -max(lines[tool].values())):
        sizes = sorted(lines[tool])
        seconds = [lines[tool][n] for n in sizes]
        wide = 2.6 if tool == "adiz" else 1.4
        axes.plot(sizes, seconds, "o-", color=COLOURS[tool], lw=wide, label=tool)
        axes.annotate(f"{seconds[-1]:.2g} s", (sizes[-1], seconds[-1]), xytext=(7, -3),
                      textcoords="offset points", color=COLOURS[tool], fontsize=8)  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel="reports", ylabel="seconds (median)")
    axes.set_title("Stays in 203 zones, Parquet in, table out", loc="left")
    axes.grid(which="major", color="#e4e4e4")
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    about = document["machine"]
    figure.supxlabel(
        f"{about['processor']}, {about['cores']} cores, {about['memory']}; {about['date']}",
        fontsize=7, color="#666666",
    )  # fmt: skip
    figure.savefig(sys.argv[2])


if __name__ == "__main__":
    main()
