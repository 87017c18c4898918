// The stays as a table; a row's button shows the stay on the map.

function fillTable(node, scene, clock, show) {
  if (!scene.stays) return;
  const rows = scene.stays;
  node.append(element("h2", {}, "Stays"));
  if (!rows.length) {
    node.append(element("p", {}, "No track was in any of these zones."));
    return;
  }
  const certain = rows.every((row) => row.certainty === "observed");
  const vertical = rows.some((row) => row.vertical && row.vertical !== "unlimited");
  const heads = ["Track", "Zone", "In", "Out", "Duration", "Depth", ...(certain ? [] : ["Certainty"]), ...(vertical ? ["Heights"] : []), "Reports"];
  const body = element("tbody");
  rows.forEach((row, number) => body.append(tableRow(row, number)));
  const table = element("table", {},
    element("thead", {}, element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)))), body);
  node.append(element("div", { class: rows.length > 20 ? "wide long" : "wide", tabindex: rows.length > 20 ? "0" : "-1" }, table));
  node.append(element("p", { class: "small" },
    "Depth: greatest distance from the zone’s edge." + (certain ? "" : " A possible stay lies in a gap: at the speed bound the aircraft could have been inside, between the times given and for at most the duration given.")));

  function tableRow(row, number) {
    const observed = row.certainty === "observed";
    const name = element("button", { type: "button", class: "link", onclick: () => show(number) }, clip(row.label, 24));
    const cells = [
      ["Track", name],
      ["Zone", clip(row.zone)],
      ["In", moment(row.entry, "entry", row.earliest)],
      ["Out", moment(row.exit, "exit", row.latest)],
      ["Duration", observed ? duration(row.duration) : `≤ ${duration(row.longest)}`],
      ["Depth", row.depth === null ? "–" : `${(row.depth / 1852).toFixed(1)} NM`],
    ];
    if (!certain) cells.push(["Certainty", row.certainty]);
    if (vertical) cells.push(["Heights", row.vertical || "–"]);
    cells.push(["Reports", row.reports === null ? "–" : row.reports.toLocaleString("en")]);
    const line = element("tr", { id: `stay-${number}`, class: observed ? "" : "unsure" });
    for (const [head, content] of cells)
      line.append(element("td", { "data-head": head, class: /Duration|Depth|Reports/.test(head) ? "number" : "" }, content));
    return line;
  }

  function moment(end, side, bound) {
    const box = element("div", { class: "moment" });
    const known = end.t !== null;
    const [utc, ...local] = clock.all(known ? end.t : bound, { digits: 1 });
    const word = side === "entry" ? "not before " : "not after ";
    box.append(element("b", {}, (known ? "" : word) + utc));
    for (const text of local) box.append(element("span", {}, text));
    box.append(element("i", {}, known ? kindText(end.kind, side) : "in a gap"));
    return box;
  }
}
