(function () {
  "use strict";
  document.querySelectorAll("figure").forEach(function (figure) {
    figure.scrollLeft = (figure.scrollWidth - figure.clientWidth) / 2;
  });
  var data = JSON.parse(document.getElementById("routes").textContent);
  var box = document.getElementById("slider");
  if (!box || !data.routes.length) { return; }
  var input = box.querySelector("input"), output = box.querySelector("output");
  var play = box.querySelector("button"), timer = null;
  input.min = data.begin; input.max = data.end; input.step = 10; input.value = data.begin;
  box.hidden = false;
  function at(rows, t) {
    if (t < rows[0][0] || t > rows[rows.length - 1][0]) { return null; }
    for (var i = 1; i < rows.length; i++) {
      if (t <= rows[i][0]) {
        var a = rows[i - 1], b = rows[i], f = (t - a[0]) / (b[0] - a[0] || 1);
        return [a[1] + f * (b[1] - a[1]), a[2] + f * (b[2] - a[2])];
      }
    }
    return null;
  }
  var format = data.clocks.map(function (zone) {
    return [zone[0], new Intl.DateTimeFormat("en-GB", {
      timeZone: zone[1], hour: "2-digit", minute: "2-digit", second: "2-digit" })];
  });
  function show() {
    var t = Number(input.value), here = [];
    output.textContent = format.map(function (f) {
      return f[0] + " " + f[1].format(new Date(t * 1000));
    }).join(" · ");
    data.routes.forEach(function (route) {
      Object.keys(route.maps).forEach(function (map) {
        var group = document.querySelector("#" + map + " .craft[data-route='" + route.key + "']");
        if (!group) { return; }
        var spot = at(route.maps[map], t);
        group.textContent = "";
        if (!spot) { return; }
        var dot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
        [["cx", spot[0]], ["cy", spot[1]], ["r", 8], ["fill", route.color], ["stroke", "#fff"],
          ["stroke-width", 3]].forEach(function (p) { dot.setAttribute(p[0], p[1]); });
        group.appendChild(dot);
        if (here.indexOf(route.label) < 0) { here.push(route.label); }
      });
    });
    document.querySelectorAll(".bands").forEach(function (all) { all.style.display = "none"; });
    document.querySelectorAll(".band").forEach(function (band) {
      band.style.display = t >= band.dataset.begin && t <= band.dataset.end ? "inline" : "none";
    });
    box.querySelector(".here").textContent =
      here.length
        ? "At this time: " + here.join("; ") + ". Pale: where it may have been on this leg."
        : "No reconstruction covers this moment.";
  }
  input.addEventListener("input", show);
  play.addEventListener("click", function () {
    if (timer) { clearInterval(timer); timer = null; play.textContent = "Play"; return; }
    if (Number(input.value) >= data.end) { input.value = data.begin; }
    play.textContent = "Stop";
    timer = setInterval(function () {
      input.value = Number(input.value) + 30; show();
      if (Number(input.value) >= data.end) { clearInterval(timer); timer = null; play.textContent = "Play"; }
    }, 60);
  });
  show();
}());
