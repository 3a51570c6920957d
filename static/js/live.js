// The live feed (ui.md section 6): htmx's ws extension swaps fragments; this file decides whether a
// fragment may land, turns signals into DOM events, keeps the indicator, and repairs after a gap.
(() => {
  "use strict";
  const BEAT_LATE = 6000, LOST_AFTER = 30000, POLL = 15000, POLL_IDLE = 60000;
  const box = document.getElementById("live"), pause = document.getElementById("live-pause");
  htmx.config.wsReconnectDelay = (tries) => Math.random() * Math.min(8000, 1000 * 2 ** Math.min(tries, 3));
  if (!box) return;
  const words = box.dataset, text = box.querySelector(".t"), age = box.querySelector(".age");
  const self = { socket: null, beatAt: 0, lostAt: Date.now(), failures: 0, paused: false, waiting: 0, ended: "", opened: false };
  let polling = null;

  function show(token, words, ageText = "") {
    box.className = `live is-${token}`;
    if (text.textContent !== words) text.textContent = words;
    if (age.textContent !== ageText) age.textContent = ageText;
  }

  function indicate() {
    if (self.ended) return show("warn", self.ended);
    if (self.paused) return show("off", `${words.paused} · ${self.waiting} ${words.waiting}`);
    const silent = Date.now() - self.beatAt;
    if (self.socket && silent < BEAT_LATE) return show("ok", words.liveIs, ` · ${Math.round(silent / 1000)} s`);
    const lost = Date.now() - self.lostAt;
    if (lost < LOST_AFTER) return show("off", words.wait);
    const at = tidegate.absolute(self.lostAt, "minute");
    return show("warn", `${words.lost} ${at} · ${words.old}`);
  }

  // After a gap every region that follows the feed reads itself once; spread, so that a restart is
  // no stampede. Leaves come as fragments (data-sync), regions that depend on the reader pull (data-live).
  function resync(jitter = 2000) {
    for (const region of document.querySelectorAll("[data-live]")) {
      window.setTimeout(() => htmx.trigger(region, "live-resync"), Math.random() * jitter);
    }
    for (const region of document.querySelectorAll("[data-sync]")) {
      window.setTimeout(() => sync(region.dataset.sync), Math.random() * jitter);
    }
  }

  async function sync(url) {
    const headers = { "HX-Request": "true", "HX-Target": "sync", "HX-Current-URL": location.href, "X-Background": "1" };
    try {
      const response = await fetch(url, { headers, credentials: "same-origin" });
      if (response.status === 401) end(words.out, true);
      else if (response.ok) apply(await response.text());
    } catch {
      // The next poll or the reconnect tries again; the indicator says how old the data is.
    }
  }

  function poll() {
    const again = document.hidden ? POLL_IDLE : POLL;
    polling = window.setTimeout(() => { if (!self.paused) resync(1000); poll(); }, again);
  }

  function alive() {
    self.beatAt = Date.now();
    self.failures = 0;
    if (polling) { window.clearTimeout(polling); polling = null; }
  }

  const handlers = {
    beat: () => {},
    resync: () => resync(),
    refresh: () => resync(),
    cells: (signal) => {
      const grid = document.getElementById(`grid-${signal.id}`);
      if (!grid) return;
      const cells = grid.getElementsByTagName("use");
      for (const [index, state] of signal.d) {
        if (cells[index]) cells[index].setAttribute("href", `#c-${state}`);
      }
    },
    say: (signal) => tidegate.announce(signal.text),
  };

  function signal(message) {
    if (message.event === "beat") { alive(); indicate(); return; }
    const handler = handlers[message.event];
    if (handler) handler(message);
    else htmx.trigger(document.body, message.event.replaceAll(".", "-"), message);
  }

  document.addEventListener("htmx:wsOpen", (event) => {
    self.socket = event.detail.socketWrapper;
    alive();
    if (self.opened) resync();
    self.opened = true;
    if (pause) pause.hidden = false;
    indicate();
  });
  document.addEventListener("htmx:wsClose", (event) => {
    const code = event.detail.event.code;
    if (self.socket) self.lostAt = self.beatAt || Date.now();
    self.socket = null;
    self.failures += 1;
    if (code === 4401) end(words.out, true);
    if (code === 4403) end(words.denied, false);
    if (!self.ended && self.failures >= 3 && !polling) poll();
    indicate();
  });
  document.addEventListener("htmx:wsBeforeMessage", (event) => {
    event.preventDefault(); // applied here, because only what is on the page may be touched
    const message = String(event.detail.message);
    const parsed = message.startsWith("{") ? JSON.parse(message) : null;
    if (parsed && parsed.event === "beat") return signal(parsed);
    // The page that waits for the first agent has nothing to swap: it becomes the overview.
    if (document.getElementById("first-agent")) return location.reload();
    if (self.paused) { self.waiting += 1; return indicate(); }
    return parsed ? signal(parsed) : apply(message);
  });

  // Swaps each fragment by its id. It lands only if it is newer and changes something, and never
  // under the reader's hands: not while its text is selected or something in it has the focus.
  function apply(html) {
    const box = document.createElement("template");
    box.innerHTML = html;
    for (const next of [...box.content.children]) {
      const target = document.getElementById(next.id);
      if (!target || Number(next.dataset.seq) < Number(target.dataset.seq || 0)) continue;
      if (held(target) || same(target, next)) continue;
      target.replaceWith(next);
      htmx.process(next);
      tidegate.writeTimes(next.parentNode);
      if (next.dataset.cells) fill(next);
      tint(next);
      if (next.dataset.title) title({ page: next.dataset.title });
    }
  }

  // A tab that is not looked at says by its title where its rollout stands and how many approvals
  // wait for the reader: "(1) R-0042 Production: needs approval · Tidegate".
  function title(changed) {
    const [, asked = "", page] = document.title.match(/^(\(\d+\) )?(.*) · Tidegate$/s) || [];
    if (page === undefined) return;
    document.title = `${changed.asked ?? asked}${changed.page ?? page} · Tidegate`;
  }
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    const count = event.detail.target;
    if (count.id !== "nav-approvals-a") return;
    const n = Number(document.getElementById(count.id).dataset.n);
    title({ asked: n ? `(${n}) ` : "" });
  });

  function held(target) {
    const selection = window.getSelection();
    if (selection && !selection.isCollapsed && selection.containsNode(target, true)) return true;
    return target.contains(document.activeElement) && document.activeElement !== document.body;
  }

  const STRIP = / (data-seq|title)="[^"]*"/g, TIMES = /(<time[^>]*>)[^<]*/g, TINT = / class="changed"| changed(?=")/g;
  function same(a, b) {
    const bare = (element) => element.outerHTML.replace(TINT, "").replace(STRIP, "").replace(TIMES, "$1");
    return bare(a) === bare(b);
  }

  // All cells of a grid at once, after a gap: run lengths such as "applied 120 failed 2".
  function fill(element) {
    const d = [], runs = element.dataset.cells.split(" ");
    for (let i = 0; i < runs.length; i += 2) {
      for (let n = Number(runs[i + 1]); n > 0; n -= 1) d.push([d.length, runs[i]]);
    }
    handlers.cells({ id: element.id.slice("cells-".length), d });
  }

  // A tint on what changed, at most once in 5 s per element.
  const tinted = new Map();
  function tint(element) {
    if (element.dataset.tint === undefined || Date.now() - (tinted.get(element.id) || 0) < 5000) return;
    tinted.set(element.id, Date.now());
    element.classList.add("changed");
    window.setTimeout(() => element.classList.remove("changed"), 1300);
  }

  // The agents list counts what changed since it was opened; rows never move by themselves.
  const changedAgents = new Set();
  document.body.addEventListener("agents-changed", (event) => {
    const notice = document.getElementById("agents-notice");
    if (!notice) return changedAgents.clear();
    for (const id of event.detail.ids) if (document.getElementById(`agent-${id}`)) changedAgents.add(id);
    const text = notice.querySelector("[data-one]"), n = changedAgents.size;
    text.textContent = (n === 1 ? text.dataset.one : text.dataset.many).replace("{n}", n);
    notice.hidden = !n;
  });

  // The sentence of state is read out when the state changes, at most once in 10 s.
  let saidAt = 0;
  document.body.addEventListener("rollout-state", () => {
    window.setTimeout(() => {
      const say = document.querySelector("main .why-line .say");
      if (!say || Date.now() - saidAt < 10000) return;
      saidAt = Date.now();
      tidegate.announce(say.textContent);
    }, 1000);
  });

  function end(text, signedOut) {
    if (self.ended) return;
    self.ended = text;
    tidegate.announce(text);
    if (signedOut) offerLogin();
    indicate();
  }

  // What pulls itself, not what the reader pressed, is marked: when the session is over it must not
  // take the page away with what is typed in it.
  document.addEventListener("htmx:configRequest", (event) => {
    const cause = event.detail.triggeringEvent;
    if (cause && cause.isTrusted === false && !["submit", "click"].includes(cause.type)) {
      event.detail.headers["X-Background"] = "1";
    }
  });
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status === 401) end(words.out, true);
  });

  function offerLogin() {
    const link = document.createElement("a");
    link.href = `${document.body.dataset.login}?next=${encodeURIComponent(location.pathname + location.search)}`;
    link.textContent = "Sign in";
    link.className = "xs";
    box.after(link);
  }

  function toggle() {
    self.paused = !self.paused;
    pause.setAttribute("aria-label", self.paused ? pause.dataset.resume : pause.dataset.pause);
    pause.classList.toggle("is-paused", self.paused);
    if (!self.paused) { if (self.waiting) resync(0); self.waiting = 0; }
    indicate();
  }
  if (pause) pause.addEventListener("click", toggle);

  document.addEventListener("visibilitychange", () => {
    if (self.socket) self.socket.send(JSON.stringify({ visible: !document.hidden }));
  });
  window.setInterval(() => { if (!document.hidden) indicate(); }, 1000);
  window.tidegate = Object.assign(window.tidegate || {}, { toggleLive: toggle, resync });
})();
