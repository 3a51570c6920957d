// Makes a region of the page say what a newer reading of it says, and touches nothing that stays the
// same: focus, scroll, selection, open details and what is typed outlive it (ui.md section 0, 6), and so does
// what a script or a request of the reader wrote into an element with `data-own`.
(() => {
  "use strict";
  const CONTROLS = new Set(["INPUT", "SELECT", "TEXTAREA", "DIALOG"]);
  const TYPED = new Set(["value", "checked"]);

  // What an element says, without what time and the reader do to it.
  const LOOSE = / (data-seq|title|open)="[^"]*"/g, TIMES = /(<time[^>]*>)[^<]*/g, TINT = / class="changed"| changed(?=")/g;
  const bare = (element) => element.outerHTML.replace(TINT, "").replace(LOOSE, "").replace(TIMES, "$1");

  // Returns the element that stands on the page now, or null when the reader holds this one.
  function morph(old, next) {
    if (bare(old) === bare(next)) {
      if (next.dataset.seq !== undefined) old.dataset.seq = next.dataset.seq;
      return old;
    }
    if (old.nodeName === next.nodeName && "own" in old.dataset && "own" in next.dataset) return old;
    if (old.nodeName !== next.nodeName || old.id !== next.id || isWired(old, next)) return replaced(old, next);
    attributes(old, next);
    if (!children(old, next)) return null;
    return old;
  }

  // htmx read these when it first saw the element: another address is another element.
  function isWired(old, next) {
    return [...next.attributes].some((one) => one.name.startsWith("hx-") && old.getAttribute(one.name) !== one.value);
  }

  function replaced(old, next) {
    if (isSelected(old)) return null;
    if (old.contains(document.activeElement) && document.activeElement !== document.body && !next.contains(document.activeElement)) {
      const id = document.activeElement.id, twin = id && (next.id === id ? next : next.querySelector(`#${CSS.escape(id)}`));
      if (!twin) return null;
      old.replaceWith(next);
      htmx.process(next);
      twin.focus({ preventScroll: true });
      return next;
    }
    old.replaceWith(next);
    htmx.process(next);
    return next;
  }

  function attributes(old, next) {
    const isControl = CONTROLS.has(old.nodeName);
    for (const { name } of [...old.attributes]) {
      if (next.hasAttribute(name) || name === "open" || (isControl && TYPED.has(name))) continue;
      old.removeAttribute(name);
    }
    for (const { name, value } of next.attributes) {
      if (name === "open" || (isControl && TYPED.has(name)) || old.getAttribute(name) === value) continue;
      old.setAttribute(name, value);
    }
  }

  // Children are the same by id, else by place and kind. False when the reader holds one of them.
  function children(old, next) {
    if (CONTROLS.has(old.nodeName) && old.nodeName !== "SELECT") return true;
    let place = old.firstChild, isWhole = true;
    for (const wanted of [...next.childNodes]) {
      const found = match(old, place, wanted);
      if (found === null) {
        old.insertBefore(wanted, place);
        if (wanted.nodeType === 1) htmx.process(wanted);
        tint(wanted);
        continue;
      }
      if (found !== place) old.insertBefore(found, place);
      const after = found.nextSibling;
      if (found.nodeType !== 1) {
        if (!text(found, wanted.nodeValue)) isWhole = false;
      } else if (found.nodeName === "TIME" && wanted.nodeName === "TIME") {
        time(found, wanted);
      } else {
        const before = found.textContent, now = morph(found, wanted);
        if (now === null) isWhole = false;
        else if (now.textContent !== before) tint(now);
      }
      place = after;
    }
    while (place) {
      const gone = place;
      place = place.nextSibling;
      if (isSelected(gone) || gone.contains(document.activeElement)) isWhole = false;
      else gone.remove();
    }
    return isWhole;
  }

  // A text that says the same but for white space stays, or a selection beside it would end.
  function text(node, value) {
    if (node.nodeValue.trim() === value.trim()) return true;
    if (isSelected(node)) return false;
    node.nodeValue = value;
    return true;
  }

  // The text of a time is the browser's; the moment is the server's.
  function time(old, next) {
    if (old.getAttribute("datetime") === next.getAttribute("datetime")) return;
    attributes(old, next);
    old.textContent = next.textContent;
  }

  function match(old, place, wanted) {
    if (wanted.nodeType === 1 && wanted.id) {
      for (let one = place; one; one = one.nextSibling) if (one.nodeType === 1 && one.id === wanted.id) return one;
      return null;
    }
    if (!place || place.nodeType !== wanted.nodeType) return null;
    if (place.nodeType !== 1) return place;
    return place.nodeName === wanted.nodeName && !place.id ? place : null;
  }

  function isSelected(node) {
    const selection = window.getSelection();
    return Boolean(selection) && !selection.isCollapsed && selection.containsNode(node, true);
  }

  // A tint on what changed, at most once in 5 s per element.
  const tinted = new Map();
  function tint(element) {
    if (element.nodeType !== 1 || element.dataset.tint === undefined || Date.now() - (tinted.get(element.id) || 0) < 5000) return;
    tinted.set(element.id, Date.now());
    element.classList.add("changed");
    window.setTimeout(() => element.classList.remove("changed"), 1300);
  }

  window.tidegate = Object.assign(window.tidegate || {}, { morph, bare });
})();
