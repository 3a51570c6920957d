// Times: absolute ones in the reader's zone, relative ones and countdowns kept current by one timer.
// The server wrote the same words already (console/words/times.py); without this file they stay.
(() => {
  "use strict";
  const words = JSON.parse(document.getElementById("words").textContent);
  const root = document.documentElement;
  const meta = document.querySelector('meta[name="server-time"]');
  const offset = meta ? Number(meta.content) - Date.now() : 0;
  const chosen = root.dataset.zone || Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  let zone = chosen;

  const now = () => Date.now() + offset;
  // What is shown as it was at another time (`data-clock`) counts from there, and stands still.
  const nowOf = (element) => {
    const past = element.closest("[data-clock]");
    return past ? Date.parse(past.dataset.clock) : now();
  };

  function parts(at, inZone) {
    const shown = {};
    const format = new Intl.DateTimeFormat("en-GB", {
      timeZone: inZone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric",
      hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
    });
    for (const part of format.formatToParts(at)) shown[part.type] = part.value;
    return shown;
  }

  const fill = (text, values) => text.replace(/{(\w+)}/g, (_, name) => values[name]);

  function span(milliseconds) {
    const s = Math.round(Math.abs(milliseconds) / 1000);
    if (s < 60) return fill(words.s, { s });
    if (s < 3600) return fill(words.m, { m: Math.floor(s / 60) });
    if (s < 86400) {
      const h = Math.floor(s / 3600), m = Math.floor((s % 3600) / 60);
      return fill(m ? words.hm : words.h, { h, m });
    }
    const d = Math.floor(s / 86400), h = Math.floor((s % 86400) / 3600);
    return fill(h && d < 14 ? words.dh : words.d, { d, h });
  }

  function relative(at, from = now()) {
    const past = from - at;
    if (Math.abs(past) < 1000) return words.now;
    return fill(past > 0 ? words.ago : words.in, { span: span(past) });
  }

  function countdown(at, from = now()) {
    const left = Math.max(0, Math.floor((at - from) / 1000));
    if (left >= 3600) return span(left * 1000);
    const two = (n) => String(n).padStart(2, "0");
    return `${two(Math.floor(left / 60))}:${two(left % 60)}`;
  }

  // Whole days from today to the day of a time, both in the reader's zone.
  function daysFrom(from, p) {
    const today = parts(from, zone), midnight = (q) => Date.UTC(q.year, q.month - 1, q.day);
    return Math.round((midnight(p) - midnight(today)) / 86400000);
  }

  function absolute(at, style, from = now()) {
    const p = parts(at, zone);
    const clock = `${p.hour}:${p.minute}:${p.second}`, minute = `${p.hour}:${p.minute} ${p.timeZoneName}`;
    const day = `${Number(p.day)} ${words.months[Number(p.month) - 1]}`;
    if (style === "clock") return daysFrom(from, p) ? `${day}, ${clock}` : clock;
    if (style === "minute") return minute;
    if (style === "due") {
      const days = daysFrom(from, p);
      return days === 1 ? fill(words.tomorrow, { time: minute }) : days ? `${day}, ${minute}` : minute;
    }
    if (style === "day") return `${day} ${p.year}`;
    if (style === "short") return `${day}, ${minute}`;
    const text = `${day} ${p.year}, ${clock} ${p.timeZoneName}`;
    const utc = parts(at, "UTC");
    return utc.hour === p.hour && utc.minute === p.minute ? text : `${text} (${utc.hour}:${utc.minute} UTC)`;
  }

  function set(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  // Writes every time below `scope`; `all` also the absolute ones, which only change with the zone.
  function write(scope, all) {
    for (const element of scope.querySelectorAll("time[data-t], time[data-deadline]")) {
      const at = Date.parse(element.dateTime);
      if (Number.isNaN(at)) continue;
      if ("deadline" in element.dataset) set(element, countdown(at, nowOf(element)));
      else if (element.dataset.t === "rel") set(element, relative(at, nowOf(element)));
      else if (all) set(element, absolute(at, element.dataset.t, nowOf(element)));
      if (all && element.dataset.t) element.title = absolute(at, "full");
    }
    if (!all) return;
    for (const element of scope.querySelectorAll("[data-zone-name]")) {
      set(element, parts(now(), zone).timeZoneName);
    }
  }

  function flip() {
    zone = zone === "UTC" ? chosen : "UTC";
    write(document, true);
    return zone;
  }

  write(document, true);
  window.setInterval(() => { if (!document.hidden) write(document, false); }, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) write(document, false); });
  for (const name of ["htmx:afterSwap", "htmx:oobAfterSwap"]) {
    document.addEventListener(name, (event) => write(event.target.parentNode || document, true));
  }
  const writeTimes = (scope) => write(scope, true);
  window.tidegate = Object.assign(window.tidegate || {}, { words, now, span, flip, absolute, writeTimes });
})();
