"use strict";
(() => {
  const root = document.documentElement;
  const themes = { auto: "as the system", light: "light", dark: "dark" };
  const narrow = matchMedia("(max-width: 68rem)");
  const notes = () => [...document.querySelectorAll(".note")].filter((note) => note.offsetParent);

  const stored = () => {
    try { return localStorage.getItem("hubpub-theme") in themes ? localStorage.getItem("hubpub-theme") : "auto"; }
    catch { return root.dataset.theme || "auto"; }
  };
  const show = (theme) => {
    root.dataset.theme = theme;
    document.querySelector(".theme")?.setAttribute("aria-label", `Colours: ${themes[theme]}`);
  };
  show(stored());

  // Beside a block when there is a margin, below it when there is none.
  function arrange() {
    for (const group of document.querySelectorAll(".card .notes")) {
      group.block ??= group.nextElementSibling ?? group.parentElement;
      const block = group.block;
      const inside = block.contains(group) || block.tagName === "LI";
      block.classList.add("flagged", ["error", "warning", "info"].find((name) => group.classList.contains(name)));
      if (inside) { if (narrow.matches) block.append(group); else block.prepend(group); }
      else if (narrow.matches) (block.classList.contains("gap") ? block.nextElementSibling ?? block : block).after(group);
      else block.before(group);
    }
    for (const [severity, pressed] of Object.entries(filters)) apply(severity, pressed);
  }

  const filters = {};
  function apply(severity, pressed) {
    filters[severity] = pressed;
    root.classList.toggle(`no-${severity}`, !pressed);
    document.querySelector(`.count.${severity}`)?.setAttribute("aria-pressed", String(pressed));
  }

  let current = null;
  function step(by) {
    const all = notes().sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top);
    if (!all.length) return;
    const at = all.indexOf(current);
    const below = all.findIndex((note) => note.getBoundingClientRect().top > innerHeight / 3);
    const next = at >= 0 ? at + by : by > 0 ? Math.max(below, 0) : below < 0 ? all.length - 1 : below - 1;
    current?.classList.remove("current");
    current = all[(next + all.length) % all.length];
    current.classList.add("current");
    current.focus({ preventScroll: true });
    current.scrollIntoView({ block: "center" });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) {
      const sections = document.querySelector(".sections[open]");
      if (sections && (!sections.contains(event.target) || event.target.closest("a"))) sections.open = false;
    } else if (button.dataset.step) step(Number(button.dataset.step));
    else if (button.dataset.severity) apply(button.dataset.severity, button.getAttribute("aria-pressed") !== "true");
    else if (button.classList.contains("theme")) {
      const names = Object.keys(themes);
      const next = names[(names.indexOf(root.dataset.theme) + 1) % names.length];
      try { localStorage.setItem("hubpub-theme", next); } catch { /* it lasts as long as the page */ }
      show(next);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, textarea")) return;
    if (event.key === "n") step(1);
    else if (event.key === "p") step(-1);
    else if (event.key === "Escape") document.querySelectorAll(".sections[open]").forEach((it) => { it.open = false; });
  });

  // What the reader looks at stays where it is when something above it changes.
  const blocks = () => [...document.querySelectorAll(".card > :not(.notes), .metadata")];
  const words = (block) => block.textContent.trim();
  function anchor() {
    const all = blocks();
    const index = all.findIndex((block) => block.getBoundingClientRect().bottom > 60);
    const seen = index < 0 ? [] : all.slice(index, index + 8);
    return { index, seen: seen.map((block) => ({ words: words(block), top: block.getBoundingClientRect().top })) };
  }
  function restore({ index, seen }, scroll) {
    scrollTo({ top: scroll, behavior: "instant" });
    if (scroll < 1) return;
    const all = blocks();
    for (const was of seen) {
      const same = all
        .map((block, at) => ({ block, far: Math.abs(at - index) }))
        .filter((it) => it.far < 40 && words(it.block) === was.words)
        .sort((a, b) => a.far - b.far)[0];
      if (same) { scrollBy({ top: same.block.getBoundingClientRect().top - was.top, behavior: "instant" }); return; }
    }
  }
  const key = (details) => details.className + details.parentElement.className +
    (details.closest(".note")?.querySelector(".head").textContent ?? "") + details.querySelector("summary").textContent;

  let asked = 0;
  async function renew() {
    const mine = ++asked;
    const answer = await fetch("/", { cache: "no-store" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== asked) return;
    const changed = new Map([...document.querySelectorAll("details")].map((it) => [key(it), it.open]));
    const scroll = scrollY;
    const place = anchor();
    for (const part of [".page", "footer"]) document.querySelector(part).replaceWith(page.querySelector(part));
    const tools = page.querySelector(".tools");
    if (tools) { document.querySelector(".tools")?.remove(); document.querySelector(".bar").append(tools); }
    document.body.dataset.version = page.body.dataset.version;
    document.title = page.title;
    for (const details of document.querySelectorAll("details"))
      if (changed.has(key(details))) details.open = changed.get(key(details));
    current = null;
    show(root.dataset.theme);
    arrange();
    restore(place, scroll);
  }

  document.addEventListener("DOMContentLoaded", () => {
    show(stored());
    arrange();
    narrow.addEventListener("change", arrange);
    if (!document.body.dataset.version) return;
    const status = document.querySelector(".live");
    const events = new EventSource("/-/changes");
    events.onopen = () => { status.textContent = "live"; status.classList.remove("lost"); };
    events.onerror = () => { status.textContent = "stopped"; status.classList.add("lost"); };
    events.onmessage = (event) => {
      if (event.data !== document.body.dataset.version) renew().catch(() => events.onerror());
    };
  });
})();
