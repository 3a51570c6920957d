// A replay: the slider, the links beside it and the play button show another moment without a new page. One request
// at a time; the newest wish wins. Without this file the links and the form do the same.
(() => {
  "use strict";
  const bar = document.querySelector("[data-replay]");
  if (!bar) return;
  const [first, ...since] = bar.dataset.steps.split(" ");
  const start = Date.parse(first), range = bar.querySelector("input[type=range]");
  const play = bar.querySelector("[data-play]"), said = bar.querySelector("[data-said]"), time = bar.querySelector(".replay-now time");
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  // Stops are told in microseconds at most; a hair later, so that none is missed by rounding.
  const times = since.map((ms) => start + Math.ceil(Number(ms)));
  const events = new Map();
  for (const link of bar.querySelectorAll(".jumps a")) {
    events.set(nearest(Date.parse(link.dataset.at)), link.parentNode.querySelector("span").textContent);
  }
  let wanted = null, isBusy = false, timer = 0;

  function nearest(at) {
    let best = 0;
    for (let i = 0; i < times.length; i += 1) if (times[i] <= at + 1) best = i;
    return best;
  }

  const here = () => Number(range.value);
  const neighbour = {
    before: () => here() - 1,
    after: () => here() + 1,
    "event-before": () => Math.max(-1, ...[...events.keys()].filter((i) => i < here())),
    "event-after": () => Math.min(times.length, ...[...events.keys()].filter((i) => i > here())),
  };

  // Says where the slider stands at once; the regions follow.
  function tell() {
    const at = new Date(times[here()]).toISOString(), text = events.get(here()) || "";
    time.dateTime = at;
    tidegate.writeTimes(bar);
    range.setAttribute("aria-valuetext", `${time.textContent}${text ? `, ${text}` : ""}`);
    if (said.textContent !== text) said.textContent = text;
    for (const link of bar.querySelectorAll("[data-to]")) {
      const index = neighbour[link.dataset.to](), isThere = index >= 0 && index < times.length;
      if (isThere) link.href = `?at=${encodeURIComponent(new Date(times[index]).toISOString())}`;
      else link.removeAttribute("href");
      link.toggleAttribute("aria-disabled", !isThere);
    }
    return at;
  }

  async function show() {
    wanted = tell();
    if (isBusy) return;
    isBusy = true;
    while (wanted !== null) {
      const at = wanted, url = `${bar.dataset.url}?at=${encodeURIComponent(at)}`;
      wanted = null;
      try {
        const headers = { "HX-Request": "true", "HX-Target": "then" };
        const response = await fetch(url, { headers, credentials: "same-origin" });
        if (!response.ok || response.redirected) throw new Error(String(response.status));
        const next = document.createElement("template");
        next.innerHTML = await response.text();
        const root = next.content.getElementById("then"), shown = document.getElementById("then");
        shown.dataset.clock = root.dataset.clock;
        tidegate.morph(shown, root);
        tidegate.writeTimes(document.getElementById("then"));
        history.replaceState(history.state, "", url);
      } catch {
        stop();
        location.assign(url);
        return;
      }
    }
    isBusy = false;
    if (timer) next();
  }

  function go(index) {
    range.value = String(Math.max(0, Math.min(times.length - 1, index)));
    show();
  }

  function stop() {
    window.clearTimeout(timer);
    timer = 0;
    play.textContent = play.dataset.play;
    play.setAttribute("aria-pressed", "false");
  }

  // The next step comes after the last one is shown. Who wants little motion gets slow steps.
  function next() {
    window.clearTimeout(timer);
    if (here() >= times.length - 1) return void stop();
    timer = window.setTimeout(() => go(here() + 1), calm.matches ? 2500 : 600);
  }

  range.addEventListener("input", () => { stop(); show(); });
  range.addEventListener("keydown", (event) => {
    if (!event.shiftKey || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    event.preventDefault();
    stop();
    go(neighbour[event.key === "ArrowLeft" ? "event-before" : "event-after"]());
  });
  bar.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-to], a[data-at]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    stop();
    if (link.dataset.at) return void go(nearest(Date.parse(link.dataset.at)));
    if (link.hasAttribute("href")) go(neighbour[link.dataset.to]());
  });
  play.addEventListener("click", () => {
    if (timer) return void stop();
    play.textContent = play.dataset.pause;
    play.setAttribute("aria-pressed", "true");
    if (here() >= times.length - 1) range.value = "0";
    timer = 1;
    show();
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden) stop(); });
  play.hidden = false;
  bar.addEventListener("submit", (event) => { event.preventDefault(); show(); });
  tell();
})();
