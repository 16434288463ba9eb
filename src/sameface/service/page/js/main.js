// The frame: which part is shown, the gallery, the key, dark or light.

import { call, key, policy, state } from "./api.js";
import { fault, h } from "./dom.js";
import { about } from "./about.js";
import { compare } from "./compare.js";
import { enroll } from "./enroll.js";
import { identify } from "./identify.js";
import { live } from "./live.js";
import { people } from "./people.js";
import { person } from "./person.js";
import { presence } from "./presence.js";
import { reference } from "./reference.js";

const PARTS = { compare, identify, live, presence, enroll, people, person, about, reference };
/** Parts that are reached from another one, which is marked as where one is. */
const BELOW = { person: "people", reference: "about" };
const main = document.getElementById("main");
const choice = document.getElementById("gallery");
let leave = null;
let visit = 0;
let known = null; // the policy and the galleries, asked for once

async function show(focus = true) {
  const name = location.hash.slice(1).split("?")[0];
  const part = PARTS[name] ? name : "compare";
  const mine = (visit += 1);
  leave?.();
  leave = null;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${BELOW[part] ?? part}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${part[0].toUpperCase()}${part.slice(1)} · sameface`;
  const place = h("div", { "data-part": part });
  main.replaceChildren(place);
  if (focus) main.focus({ preventScroll: true });
  window.scrollTo(0, 0);
  try {
    await (known ??= getToKnow());
    if (mine !== visit) return; // somebody went elsewhere meanwhile, and types there already
    const done = await PARTS[part](place);
    if (mine === visit) leave = done ?? null; else done?.();
  } catch (error) {
    if (mine === visit) place.append(fault(error));
  }
}

async function getToKnow() {
  try {
    await Promise.all([policy(), loadGalleries()]);
  } catch (error) {
    known = null; // asked again with the next part, or with a key
    throw error;
  }
}

async function loadGalleries(wanted = null) {
  const { galleries } = await call("GET", "galleries");
  const remembered = wanted ?? localStorage.getItem("sameface-gallery");
  choice.replaceChildren(...galleries.map((name) => h("option", { value: name }, name)));
  state.gallery = galleries.includes(remembered) ? remembered : galleries[0] ?? null;
  choice.value = state.gallery ?? "";
}

// -- the tools -------------------------------------------------------------------------------------------------------
choice.addEventListener("change", () => {
  state.gallery = choice.value;
  localStorage.setItem("sameface-gallery", choice.value);
  show(false);
});
document.addEventListener("galleries-changed", async (event) => { await loadGalleries(event.detail); show(false); });

const keyDialog = document.getElementById("key-dialog");
const askForKey = () => {
  if (keyDialog.open) return;
  document.getElementById("key-input").value = "";
  keyDialog.returnValue = "cancel";
  keyDialog.showModal();
};
document.getElementById("key-button").addEventListener("click", askForKey);
document.addEventListener("needs-key", askForKey);
keyDialog.addEventListener("close", () => {
  const given = document.getElementById("key-input").value.trim();
  document.getElementById("key-input").value = "";
  if (keyDialog.returnValue === "ok") { key.set(given); known = null; show(false); }
});

// Not submit buttons: Enter in a text field presses the first of those.
for (const button of document.querySelectorAll("dialog .close")) button.addEventListener("click", () => button.closest("dialog").close("cancel"));

const themes = ["light", "dark"];
const setTheme = (theme) => { document.documentElement.dataset.theme = theme; };
if (themes.includes(localStorage.getItem("sameface-theme"))) setTheme(localStorage.getItem("sameface-theme"));
document.getElementById("theme-button").addEventListener("click", () => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark"
    || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  setTheme(dark ? "light" : "dark");
  localStorage.setItem("sameface-theme", dark ? "light" : "dark");
});

window.addEventListener("hashchange", () => { if (location.hash !== "#main") show(); });
show(false);
