// Names are typed, faces that do not belong are clicked; the decisions are saved as one file. Nothing leaves this page by itself.
"use strict";
const sections = [...document.querySelectorAll("section[data-group]")];
const save = document.getElementById("save");
const count = document.getElementById("count");
const names = document.getElementById("names");
let saved = "";

const faces = (section) => [...section.querySelectorAll(".face")];
const leaving = (section) => faces(section).filter((face) => face.getAttribute("aria-pressed") === "true");
const staying = (section) => faces(section).filter((face) => face.getAttribute("aria-pressed") !== "true");
const typed = (section) => section.querySelector("input").value.trim();
const ids = (some) => some.map((face) => Number(face.dataset.face));

/** What was decided, in the form that `sameface cluster FOLDER apply` reads. */
function changes() {
  const apart = sections.map((section) => ids(leaving(section))).filter((some) => some.length);
  const named = sections.filter((section) => typed(section) && typed(section) !== section.dataset.name)
    .map((section) => ({ name: typed(section), faces: ids(staying(section)) })).filter((item) => item.faces.length);
  return { apart, named, format: "sameface album changes 1" };
}

/** Two groups of one name that share a photo: seldom one person, so it is said. */
function warnings() {
  for (const section of sections) {
    const name = typed(section);
    const others = name ? sections.filter((other) => other !== section && typed(other) === name) : [];
    const here = new Set(staying(section).map((face) => face.dataset.photo));
    const shared = others.flatMap((other) => staying(other)).map((face) => face.dataset.photo).find((photo) => here.has(photo));
    const place = section.querySelector(".warning");
    place.hidden = shared === undefined;
    place.textContent = shared === undefined ? "" : `“${name}” is then twice in ${shared}. Two faces of one photo are seldom one person.`;
  }
}

function tell() {
  const { apart, named } = changes();
  const leave = apart.flat().length;
  const parts = [named.length ? `${named.length} named` : "", leave ? `${leave} not in their group` : ""].filter(Boolean);
  count.textContent = parts.length ? `${parts.join(", ")}.` : "Nothing is changed yet.";
  save.disabled = !parts.length;
  document.getElementById("next").hidden = !parts.length;
  const known = new Set(sections.map(typed).filter(Boolean));
  names.replaceChildren(...[...known].sort().map((name) => Object.assign(document.createElement("option"), { value: name })));
  warnings();
}

document.addEventListener("input", tell);
document.addEventListener("click", (event) => {
  const face = event.target.closest(".face");
  if (!face) return;
  face.setAttribute("aria-pressed", String(face.getAttribute("aria-pressed") !== "true"));
  tell();
});
save.addEventListener("click", () => {
  saved = JSON.stringify(changes(), null, 1);
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(new Blob([saved], { type: "application/json" })), download: "album-changes.json" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
});
addEventListener("beforeunload", (event) => {
  if (!save.disabled && saved !== JSON.stringify(changes(), null, 1)) event.preventDefault();
});
tell();
