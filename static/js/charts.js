// Readings of a chart under the pointer and the arrow keys: the line below says each. Without this file the
// list of readings says the same. A chart may be replaced while it is read: the reading is found again by its time.
(() => {
  "use strict";
  const held = new WeakMap(); // chart -> time of the reading that is shown

  const dots = (chart) => [...chart.querySelectorAll("use[data-at]")];

  function clock(at) {
    const absolute = window.tidegate && window.tidegate.absolute;
    return absolute ? absolute(Date.parse(at), "clock") : at.slice(11, 19);
  }

  function say(chart, dot) {
    const line = chart.querySelector(".readout");
    for (const other of chart.querySelectorAll("use.at")) other.classList.remove("at");
    const text = dot ? `${clock(dot.dataset.at)} · ${dot.dataset.says}` : "";
    if (dot) {
      dot.classList.add("at");
      if (!held.has(chart)) watcher.observe(chart, { subtree: true, childList: true, attributeFilter: ["data-at", "x"] });
      held.set(chart, dot.dataset.at);
    } else {
      held.delete(chart);
    }
    if (line.textContent !== text) line.textContent = text;
  }

  function nearest(chart, x) {
    const picture = chart.querySelector("svg.readings");
    if (!picture) return null;
    const box = picture.getBoundingClientRect(), share = (100 * (x - box.left)) / box.width;
    const away = (dot) => Math.abs(parseFloat(dot.getAttribute("x")) - share);
    return dots(chart).reduce((best, dot) => (!best || away(dot) < away(best) ? dot : best), null);
  }

  // A picture that is drawn anew has its reading found again.
  const watcher = new MutationObserver((changes) => {
    for (const chart of new Set(changes.map((one) => one.target.closest("[data-chart]")))) {
      const at = chart && held.get(chart);
      if (at) say(chart, dots(chart).find((dot) => dot.dataset.at === at));
    }
  });

  const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
  document.addEventListener("keydown", (event) => {
    const chart = event.target;
    if (!(chart instanceof Element) || !chart.matches("[data-chart]")) return;
    const all = dots(chart), here = all.findIndex((dot) => dot.dataset.at === held.get(chart));
    let next = null;
    if (event.key in STEPS) next = (here < 0 ? all.length : here) + STEPS[event.key];
    else if (event.key === "Home") next = 0;
    else if (event.key === "End") next = all.length - 1;
    else if (event.key === "Escape") return void say(chart, null);
    if (next === null || !all.length) return;
    event.preventDefault();
    say(chart, all[Math.max(0, Math.min(all.length - 1, next))]);
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("[data-chart]") && !held.has(event.target)) say(event.target, dots(event.target).pop());
  });
  document.addEventListener("focusout", (event) => {
    if (event.target.matches("[data-chart]")) say(event.target, null);
  });
  document.addEventListener("pointermove", (event) => {
    const picture = event.target.closest && event.target.closest("svg.readings");
    const chart = picture && picture.closest("[data-chart]");
    for (const other of document.querySelectorAll("[data-chart]")) {
      if (other !== chart && other !== document.activeElement && held.has(other)) say(other, null);
    }
    if (chart) say(chart, nearest(chart, event.clientX));
  });
})();
