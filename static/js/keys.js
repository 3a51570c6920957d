// Keyboard: single letters only open or move, never act on a rollout; ignored in fields, and off when
// the person switched them off on the profile page (WCAG 2.1.4).
(() => {
  "use strict";
  const GO = { o: "/", a: "/agents/", c: "/configs/", r: "/rollouts/", p: "/approvals/", d: "/audit/" };
  let prefix = 0;

  const rows = () => [...document.querySelectorAll("main tbody tr:has(th a), main [data-row]")];
  const inField = (element) => element.closest("input, textarea, select, [contenteditable]");

  function move(step) {
    const all = rows(), at = all.findIndex((row) => row.contains(document.activeElement));
    const row = all[Math.min(all.length - 1, Math.max(0, at < 0 && step > 0 ? 0 : at + step))];
    const link = row && row.querySelector("th a, a");
    if (link) link.focus();
  }

  function pick() {
    const row = document.activeElement.closest("tr");
    const box = row && row.querySelector("input[type=checkbox]");
    if (box) box.click();
  }

  function change(step) {
    const changes = [...document.querySelectorAll("[data-change]")];
    if (!changes.length) return;
    const at = changes.findIndex((row) => row.classList.contains("here"));
    const next = changes[(at + step + changes.length) % changes.length];
    for (const row of changes) row.classList.toggle("here", row === next);
    next.scrollIntoView({ block: "center" });
    next.querySelector("a, td").focus({ preventScroll: true });
  }

  const KEYS = {
    "?": () => { location.href = "/help/shortcuts/"; },
    "/": () => { const field = document.querySelector(".find input"); if (field) field.focus(); },
    j: () => move(1), k: () => move(-1), x: pick,
    n: () => change(1), p: () => change(-1),
    u: () => tidegate.announce(tidegate.flip()),
    ".": () => tidegate.toggleLive && tidegate.toggleLive(),
  };

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "k") { event.preventDefault(); KEYS["/"](); return; }
    if (document.documentElement.dataset.keys === "off") return;
    if (event.ctrlKey || event.metaKey || event.altKey || inField(event.target) || document.querySelector("dialog[open]")) return;
    if (Date.now() - prefix < 1200 && GO[event.key]) {
      event.preventDefault();
      location.href = GO[event.key];
      return;
    }
    prefix = event.key === "g" ? Date.now() : 0;
    if (KEYS[event.key]) { event.preventDefault(); KEYS[event.key](); }
  });
})();
