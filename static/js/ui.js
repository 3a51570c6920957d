// Small behaviours of controls: copying ids, dialogs, menus, dismissing, picking rows. Everything
// works without this file too: dialogs are pages, ids can be selected, pickers are checkboxes.
(() => {
  "use strict";
  document.documentElement.classList.add("js");
  const announce = (text) => {
    const region = document.getElementById("announce");
    if (region) region.textContent = text;
  };
  window.tidegate = Object.assign(window.tidegate || {}, { announce });

  async function copy(button) {
    const source = button.dataset.copyFrom
      ? document.querySelector(button.dataset.copyFrom)
      : button.parentNode.querySelector("code");
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.classList.add("done");
      window.setTimeout(() => button.classList.remove("done"), 1500);
      announce(window.tidegate.words.copied);
    } catch {
      window.getSelection().selectAllChildren(source);
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
    const dismiss = event.target.closest("[data-dismiss]");
    if (dismiss) dismiss.closest(".banner").remove();
    const cancel = event.target.closest("[data-close]");
    if (cancel && cancel.closest("dialog")) {
      event.preventDefault();
      cancel.closest("dialog").close();
    }
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target) || event.target.closest(".menu li a")) menu.open = false;
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // Dialogs: filled into #dialog by hx-get, shown as modal, gone when closed; focus returns.
  let opener = null;
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target && event.detail.target.id === "dialog" && !document.querySelector("dialog[open]")) {
      opener = event.detail.elt;
    }
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id !== "dialog") return;
    const dialog = event.target.querySelector("dialog");
    if (!dialog || dialog.open) return;
    dialog.addEventListener("close", () => {
      event.target.replaceChildren();
      if (opener && document.contains(opener)) opener.focus();
      opener = null;
    });
    dialog.showModal();
    // After an answer that refused it: the field that is wrong, else what was said.
    const wrong = ["[aria-invalid=true]", ".error-summary", "[autofocus]"];
    const first = wrong.map((selector) => dialog.querySelector(selector)).find(Boolean);
    if (first) first.focus();
  });
  // A password that may be read while it is typed; it is hidden again before it is sent.
  for (const box of document.querySelectorAll("[data-show]")) {
    const field = document.querySelector(box.dataset.show);
    box.addEventListener("change", () => { field.type = box.checked ? "text" : "password"; });
    field.form.addEventListener("submit", () => { field.type = "password"; });
  }

  // What was refused is read first: of a whole page here, of a part when htmx has put it in.
  const refused = document.querySelector("main .error-summary");
  if (refused) { refused.dataset.seen = ""; refused.focus(); }
  document.addEventListener("htmx:afterSettle", () => {
    const summary = document.querySelector("main .error-summary:not([data-seen])");
    if (summary) { summary.dataset.seen = ""; summary.focus(); }
  });

  // Times are written in the zone of the browser, unless the person chose one.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const field of document.querySelectorAll("input[data-zone]")) {
    if (!zone) continue;
    field.value = zone;
    for (const name of field.form.querySelectorAll("[data-zone-name]")) name.textContent = zone;
  }

  // Line numbers beside a text of many lines; they scroll with it.
  for (const box of document.querySelectorAll("[data-numbered]")) {
    const area = box.querySelector("textarea"), gutter = document.createElement("pre");
    gutter.className = "gutter";
    gutter.setAttribute("aria-hidden", "true");
    box.prepend(gutter);
    const follow = () => { gutter.scrollTop = area.scrollTop; gutter.style.maxHeight = `${area.offsetHeight}px`; };
    const wrong = new Set([...document.querySelectorAll("[data-line]")].map((link) => Number(link.dataset.line)));
    const number = () => {
      const lines = area.value.split("\n").length;
      if (gutter.dataset.lines === String(lines)) return;
      gutter.dataset.lines = String(lines);
      gutter.replaceChildren(...Array.from({ length: lines }, (_, i) => {
        const one = document.createElement(wrong.has(i + 1) ? "b" : "span");
        one.textContent = `${i + 1}\n`;
        return one;
      }));
      follow();
    };
    area.addEventListener("input", number);
    area.addEventListener("scroll", follow);
    new ResizeObserver(follow).observe(area);
    number();
  }

  // To the line of a text that is wrong: selected, so that it is seen, and in the middle.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-line]");
    const area = link && document.querySelector(link.getAttribute("href"));
    if (!area || area.selectionStart === undefined) return;
    event.preventDefault();
    const lines = area.value.split("\n"), line = Math.min(Number(link.dataset.line), lines.length);
    const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    area.focus();
    area.setSelectionRange(start, start + lines[line - 1].length);
    area.scrollTop = (area.scrollHeight / lines.length) * (line - 1) - area.clientHeight / 2;
    area.scrollIntoView({ block: "nearest" });
  });

  // Filters start closed where they would push the list out of sight.
  if (window.matchMedia("(max-width: 59.99rem)").matches) {
    for (const filters of document.querySelectorAll(".facet-menu")) filters.open = false;
  }

  // Picking rows: the head box picks the page; the bar at the foot shows how many.
  function pickers(form) {
    return [...form.querySelectorAll("tbody input[name=id]")];
  }
  function count(form) {
    const boxes = pickers(form), picked = boxes.filter((box) => box.checked);
    for (const box of boxes) box.closest("tr").setAttribute("aria-selected", String(box.checked));
    const head = form.querySelector("thead input");
    if (head) {
      head.checked = boxes.length > 0 && picked.length === boxes.length;
      head.indeterminate = picked.length > 0 && picked.length < boxes.length;
    }
    const bar = form.querySelector(".bulk");
    if (!bar) return;
    const all = form.querySelector("input[name=all]");
    bar.classList.toggle("is-empty", !picked.length && !(all && all.checked));
    const shown = bar.querySelector("[data-picked]");
    if (shown) shown.textContent = String(picked.length);
  }
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-picks]");
    if (!form) return;
    if (event.target.closest("thead")) for (const box of pickers(form)) box.checked = event.target.checked;
    count(form);
  });
  for (const form of document.querySelectorAll("form[data-picks]")) count(form);
  document.addEventListener("htmx:afterSettle", () => {
    for (const form of document.querySelectorAll("form[data-picks]")) count(form);
  });

  // A control that submits its form when it changes (facets, sort, theme); a button does it without JS.
  document.addEventListener("change", (event) => {
    if (event.target.closest("[data-submit]")) event.target.form.requestSubmit();
  });

  // Names of cells in the agents grid, shown under the pointer (a picture; the legend is the equivalent).
  document.addEventListener("pointerover", (event) => {
    const cell = event.target.closest(".agent-grid use");
    if (!cell) return;
    const grid = cell.closest(".agent-grid"), data = document.getElementById(grid.dataset.names);
    const { names, words } = data ? JSON.parse(data.textContent) : { names: [], words: {} };
    const note = document.getElementById(grid.dataset.note), name = names[Number(cell.dataset.i)];
    const word = words[cell.getAttribute("href").slice("#c-".length)];
    if (note) note.textContent = name ? `${name}: ${word}` : "";
  });
})();
