// What the console does besides htmx: the palette, living parts, words for screen readers.
// Every page works without this file.
(() => {
  "use strict";
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // -- words for screen readers, once each
  const say = (words) => {
    const said = one("#said");
    if (said && words && said.textContent !== words) said.textContent = words;
  };
  document.addEventListener("htmx:afterSettle", ({ detail }) => {
    const told = detail.elt.matches("[data-said]") ? detail.elt : one("[data-said]", detail.elt);
    if (told) say(told.dataset.said);
  });
  document.addEventListener("htmx:responseError", () => say("That did not work. Reload the page."));

  // -- an address holds what was asked, and nothing that was not
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    for (const [name, value] of [...detail.formData]) if (!value) detail.formData.delete(name);
  });
  // a field that the browser finds unfit is not asked for yet
  document.addEventListener("htmx:beforeRequest", (event) => {
    const form = event.detail.elt;
    if (form.matches("form") && !form.checkValidity()) event.preventDefault();
  });

  // -- living parts: not while hidden, paused, or somebody is in them or comes back to them
  let paused = false;
  const busy = (part) =>
    one("dialog[open]") ||
    part.contains(document.activeElement) ||
    part.contains(getSelection().isCollapsed ? null : getSelection().anchorNode);
  const tick = (part) => {
    if (!paused && !document.hidden && !busy(part)) htmx.trigger(part, "tick");
  };
  for (const part of all("[data-every]")) {
    setInterval(tick, part.dataset.every * 1000, part);
    document.addEventListener("visibilitychange", () => tick(part));
    let open = [];
    part.addEventListener("htmx:beforeSwap", () => {
      open = all("details[open]", part).map((each) => each.id);
    });
    part.addEventListener("htmx:afterSwap", () => {
      part.classList.remove("stale");
      for (const id of open) if (one(`#${id}`, part)) one(`#${id}`, part).open = true;
    });
    for (const failed of ["htmx:sendError", "htmx:responseError"])
      part.addEventListener(failed, () => part.classList.add("stale"));
  }
  for (const button of all("[data-pause]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      paused = !paused;
      button.setAttribute("aria-pressed", String(paused));
      button.textContent = paused ? "Go on updating" : "Pause updates";
      say(paused ? "Updates are paused" : "Updates go on");
    });
  }

  // -- the palette
  const palette = one("#palette");
  if (!palette) return;
  const field = one("#sought");
  const hits = () => all("a", one("#found"));
  const isTyping = (where) => where.matches("input, select, textarea, [contenteditable]");
  const openPalette = () => {
    if (palette.open || one("dialog[open]")) return;
    palette.showModal();
    field.select();
    htmx.trigger(field, "open");
  };
  const step = (by) => {
    const list = [field, ...hits()];
    const at = list.indexOf(document.activeElement);
    list[(Math.max(at, 0) + by + list.length) % list.length].focus();
  };
  document.addEventListener("keydown", (event) => {
    const isK = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
    const isSlash = event.key === "/" && !event.ctrlKey && !event.altKey && !event.metaKey;
    if (event.shiftKey && isK) return;
    if (isK || (isSlash && !isTyping(event.target))) {
      event.preventDefault();
      openPalette();
    }
  });
  palette.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      step(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && event.target === field) {
      // the first hit, if what is listed answers what is typed; else the page of the form
      const listed = one("#hits", palette);
      if (listed && listed.dataset.q === field.value.trim() && hits().length) {
        event.preventDefault();
        hits()[0].click();
      }
    } else if (event.key.length === 1 && event.target !== field && !event.ctrlKey && !event.metaKey) {
      field.focus(); // typing goes on where it was
    }
  });
  palette.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (event.target === palette || link) palette.close(); // the backdrop, or a hit on this page
  });
})();
