// The live feed (ui.md section 6): htmx's ws extension swaps fragments; this file decides whether a
// fragment may land, turns signals into DOM events, keeps the indicator, and repairs after a gap.
(() => {
  "use strict";
  const BEAT_LATE = 6000, LOST_AFTER = 30000, POLL = 15000, POLL_IDLE = 60000;
  const box = document.getElementById("live"), pause = document.getElementById("live-pause"), retry = document.getElementById("live-retry");
  htmx.config.wsReconnectDelay = (tries) => Math.random() * Math.min(8000, 1000 * 2 ** Math.min(tries, 3));
  if (!box) return;
  const words = box.dataset, text = box.querySelector(".t"), age = box.querySelector(".age");
  const self = { socket: null, beatAt: 0, lostAt: Date.now(), failures: 0, paused: false, missed: new Set(), ended: "", opened: false, readAt: 0 };
  let polling = null;

  function show(token, words, ageText = "") {
    box.className = `live is-${token}`;
    if (text.textContent !== words) text.textContent = words;
    if (age.textContent !== ageText) age.textContent = ageText;
  }

  // A page with live regions is live, or says since when it is not and when it was last read. Any
  // other page says as of when it is: it does not follow what changes, however well the feed works.
  function indicate() {
    retry.hidden = true;
    if (self.ended) return show("warn", self.ended);
    if ("still" in words) return;
    if (self.paused) {
      const n = self.missed.size;
      return show("off", n ? `${words.paused} · ${(n === 1 ? words.one : words.many).replace("{n}", n)}` : words.paused);
    }
    const silent = Date.now() - self.beatAt;
    if (self.socket && silent < BEAT_LATE) return show("ok", words.liveIs, ` · ${Math.round(silent / 1000)} s`);
    const lost = Date.now() - self.lostAt;
    if (lost < LOST_AFTER) return show("off", words.wait);
    retry.hidden = false;
    const since = `${words.lost} ${tidegate.absolute(self.lostAt, "clock")}`;
    const read = self.readAt > self.lostAt ? `${words.read} ${tidegate.absolute(self.readAt, "clock")}` : words.old;
    return show("warn", `${since} · ${read}`);
  }
  retry.addEventListener("click", () => resync(0));

  // After a gap every region that follows the feed reads itself once; spread, so that a restart is
  // no stampede. Leaves come as fragments (data-sync), regions that depend on the reader pull (data-live).
  function resync(jitter = 2000) {
    for (const region of document.querySelectorAll("[data-live]")) {
      window.setTimeout(() => htmx.trigger(region, "live-resync"), Math.random() * jitter);
    }
    pull(Math.random() * jitter);
    for (const region of document.querySelectorAll("[data-sync]")) {
      window.setTimeout(() => sync(region.dataset.sync), Math.random() * jitter);
    }
  }

  async function sync(url) {
    const headers = { "HX-Request": "true", "HX-Target": "sync", "HX-Current-URL": location.href, "X-Background": "1" };
    try {
      const response = await fetch(url, { headers, credentials: "same-origin" });
      if (response.status === 401) end(words.out, true);
      else if (response.ok) { frame(await response.json()); self.readAt = Date.now(); indicate(); }
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
    frame: (message) => frame(message),
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
    words.on = "";
    indicate();
  });
  document.addEventListener("htmx:wsClose", (event) => {
    const code = event.detail.event.code;
    if (self.socket) self.lostAt = self.beatAt || Date.now();
    self.socket = null;
    delete words.on;
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
    if (!parsed) return;
    if (self.paused) { note(parsed); return indicate(); }
    signal(parsed);
  });

  // One reading of a page, applied in one go: all its regions and then its signals, or nothing where
  // the page shows a newer reading already. Rows of a list have each their own place in line.
  function frame(message) {
    const box = document.createElement("template");
    box.innerHTML = message.html;
    const roots = [...box.content.children].filter((root) => document.getElementById(root.id) || root.dataset.layout);
    if (message.seq !== null && roots.some(isOlder)) return;
    for (const root of roots) if (!isOlder(root)) land(root);
    for (const one of message.signals) signal(one);
  }

  function isOlder(next) {
    const shown = document.getElementById(next.id);
    return Boolean(shown) && Number(next.dataset.seq) < Number(shown.dataset.seq || 0);
  }

  // Lets a region say what the newer reading says. What the reader holds (a selection, a focus that
  // would be lost) waits until it is let go.
  const waiting = new Map();
  function land(next) {
    keepNewer(next);
    if (next.dataset.cells !== undefined) fill(next);
    const shown = document.getElementById(next.id);
    if (!shown) return;
    const before = shown.dataset.title, kept = next.cloneNode(true);
    const now = tidegate.morph(shown, next);
    if (now === null) waiting.set(kept.id, kept); else waiting.delete(kept.id);
    tidegate.writeTimes(now || shown);
    if (kept.dataset.title && kept.dataset.title !== before) moveOn(kept.dataset.title);
  }

  // A page or region that was long on its way may hold regions of which newer ones were shown meanwhile.
  function keepNewer(next) {
    for (const one of next.querySelectorAll("[data-seq][id]")) {
      if (isOlder(one)) one.replaceWith(document.getElementById(one.id).cloneNode(true));
    }
  }

  // The state moved on: what was said of the one before is over.
  function moveOn(words) {
    title({ page: words });
    for (const one of document.querySelectorAll("#messages .is-ok, #messages .is-off")) one.remove();
  }

  function landWaiting() {
    for (const next of [...waiting.values()]) if (isOlder(next)) waiting.delete(next.id); else land(next);
  }
  document.addEventListener("focusout", () => window.setTimeout(landWaiting, 0));
  document.addEventListener("selectionchange", () => { if (waiting.size) landWaiting(); });

  // A page whose regions depend on the reader reads itself when something it tells of has changed:
  // `data-pull` of <main> names the events. What is typed, open or focused in it stays.
  const page = document.getElementById("main"), follows = (page.dataset.pull || "").split(" ").filter(Boolean);
  let pulling = 0, isStale = false;
  function pull(after = 300) {
    if (!follows.length || self.paused) return;
    if (pulling) isStale = true; else pulling = window.setTimeout(read, after);
  }
  async function read() {
    isStale = false;
    try {
      const response = await fetch(location.href, { headers: { "X-Background": "1" }, credentials: "same-origin" });
      if (response.status === 401 || response.redirected) return end(words.out, true);
      if (response.status === 404) return location.reload(); // what the page shows is no more
      if (response.ok) {
        const next = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("main");
        for (const one of next.querySelectorAll("#messages")) one.replaceWith(page.querySelector("#messages").cloneNode(true));
        const state = () => page.querySelector("[data-title]")?.dataset.title, before = state();
        land(document.importNode(next, true));
        if (state() && state() !== before) moveOn(state());
        self.readAt = Date.now();
      }
    } catch {
      // The next change or poll tries again; the indicator says how old the page is.
    } finally {
      window.setTimeout(() => { pulling = 0; if (isStale) pull(0); }, 1700);
    }
  }
  for (const name of follows) document.body.addEventListener(name, () => pull());

  // Regions that pull themselves land in the same way.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, xhr, serverResponse } = event.detail;
    if (!target.hasAttribute || !target.hasAttribute("data-live") || xhr.status !== 200) return;
    const next = document.createElement("template");
    next.innerHTML = serverResponse;
    if (!next.content.getElementById(target.id)) return;
    event.detail.shouldSwap = false;
    for (const one of [...next.content.children]) {
      one.removeAttribute("hx-swap-oob");
      land(one);
    }
  });

  // What a paused page misses: each region that says something else by now, and each other event.
  function note(message) {
    if (message.event !== "frame") return message.event === "resync" || self.missed.add(message.event);
    const box = document.createElement("template");
    box.innerHTML = message.html;
    for (const next of box.content.children) {
      const shown = document.getElementById(next.id);
      if (shown && tidegate.bare(shown) !== tidegate.bare(next)) self.missed.add(next.id); else self.missed.delete(next.id);
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
    if (count.id !== "nav-needs-a") return;
    const n = Number(document.getElementById(count.id).dataset.n);
    title({ asked: n ? `(${n}) ` : "" });
  });

  // The states of all cells of a grid, as run lengths: "applied 120 failed 2". Where other agents stand
  // in it (it was drawn again, or it is no draft any more), the region pulls itself.
  function fill(element) {
    const id = element.id.slice("cells-".length), region = document.getElementById(`agents-of-${id}`);
    if (region && region.dataset.layout !== element.dataset.layout) return htmx.trigger(region, "layout-changed");
    const grid = document.getElementById(`grid-${id}`);
    if (!grid) return;
    const cells = grid.getElementsByTagName("use"), runs = element.dataset.cells.split(" ");
    let index = 0;
    for (let i = 0; i + 1 < runs.length; i += 2) {
      const state = `#c-${runs[i]}`;
      for (let n = Number(runs[i + 1]); n > 0; n -= 1, index += 1) {
        if (cells[index] && cells[index].getAttribute("href") !== state) cells[index].setAttribute("href", state);
      }
    }
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
    link.textContent = window.tidegate.words.signIn;
    link.className = "xs";
    box.after(link);
  }

  function toggle() {
    self.paused = !self.paused;
    pause.setAttribute("aria-label", self.paused ? pause.dataset.resume : pause.dataset.pause);
    pause.classList.toggle("is-paused", self.paused);
    if (!self.paused) { resync(0); self.missed.clear(); }
    indicate();
  }
  if (pause) pause.addEventListener("click", toggle);

  document.addEventListener("visibilitychange", () => {
    if (self.socket) self.socket.send(JSON.stringify({ visible: !document.hidden }));
  });
  window.setInterval(() => { if (!document.hidden) indicate(); }, 1000);
  window.tidegate = Object.assign(window.tidegate || {}, { toggleLive: toggle, resync });
})();
