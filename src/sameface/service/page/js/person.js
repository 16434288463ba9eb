// One person: what is kept of them, photo by photo; more photos, another name, one person entered twice, history, forgetting.

import { call, formOf, galleryPath, policy } from "./api.js";
import { Chosen } from "./chosen.js";
import { fact } from "./compare.js";
import { ask } from "./dialogs.js";
import { busy, day, fault, h, moment, plural, say } from "./dom.js";
import { kept } from "./kept.js";
import { reportList } from "./reports.js";

/** Words of the audit log, as the page says them. */
const DONE = {
  add: "Photos added", rename: "Renamed", details: "Details changed", groups: "Groups changed", merge: "Joined with another entry", "drop template": "A photo was removed",
  consent: "Consent noted", "keep until": "Time of keeping changed", hold: "Hold set", "lift hold": "Hold lifted", access: "What is kept was handed over",
};

export function personLink(person) { return `#person?id=${person.person_id}`; }

export async function person(main) {
  const id = new URLSearchParams(location.hash.split("?")[1]).get("id") ?? "";
  const path = (rest = "") => galleryPath(`/people/${id}${rest}`);
  const { role, caps } = await policy();
  const mayWrite = role === "admin" || role === "enroll";
  const trouble = h("div");
  const title = h("h1", { class: "name" });
  const about = h("section", { class: "card", "aria-label": "About" });
  const photos = h("section", { class: "card", "aria-labelledby": "photos-title" });
  const history = h("section", { class: "card", "aria-labelledby": "history-title" });
  const result = h("div");
  let somebody = await call("GET", path());
  const chosen = new Chosen("More photos");
  const add = h("button", { type: "submit", class: "primary" }, "Add photos");
  main.append(
    h("p", { class: "back" }, h("a", { href: "#people" }, "← People")),
    title, trouble, about,
    h("div", { class: "two even" },
      h("div", {}, photos, mayWrite ? h("form", { class: "card", novalidate: true, onsubmit: addPhotos },
        h("h2", {}, "Add photos"), chosen.element, h("div", { class: "actions" }, add), result) : null),
      h("div", {}, mayWrite ? twice() : null, mayWrite ? history : null)),
  );

  function tellPerson() {
    title.textContent = somebody.name;
    document.title = `${somebody.name} · sameface`;
    const details = Object.entries(somebody.details);
    const consent = somebody.consent;
    about.replaceChildren(
      h("dl", { class: "facts flat" },
        fact("Enrolled", day(somebody.created)),
        fact("Photos", String(somebody.photos)),
        fact("Groups", somebody.groups.join(", ") || "none"),
        fact("Kept until", somebody.hold ? `held: ${somebody.hold}` : somebody.expires ? day(somebody.expires) : "no end is set"),
        consent ? fact("Agreed to", `${consent.purpose}${consent.until ? `, until ${day(consent.until)}` : ""}`) : null,
        ...details.map(([name, value]) => fact(name, value))),
      mayWrite ? h("div", { class: "actions start" },
        h("button", { type: "button", class: "small", onclick: rename }, "Rename"),
        h("button", { type: "button", class: "small", onclick: regroup }, "Change groups"),
        h("button", { type: "button", class: "small", onclick: handOver }, "Save what is kept"),
        h("button", { type: "button", class: "small danger", onclick: forget }, "Forget")) : "");
  }

  async function tellPhotos() {
    const stored = (await call("GET", path("/photos"))).photos;
    photos.replaceChildren(
      h("h2", { id: "photos-title", tabindex: -1 }, plural(stored.length, "photo")),
      h("p", { class: "said" }, "The pictures themselves are not kept. Of each face there is an embedding, and this:"),
      stored.length ? h("ol", { class: "reports kept" }, stored.map((photo, place) => kept(photo, place + 1, mayWrite && stored.length > 1 ? () => drop(photo, place + 1) : null)))
        : h("p", { class: "empty" }, "No photo is left, so nobody is recognised as this person. Add one."));
  }

  async function tellHistory() {
    if (!mayWrite) return;
    const { lines } = await call("GET", path("/history"));
    history.replaceChildren(h("h2", { id: "history-title" }, "History"),
      h("ol", { class: "history" }, lines.reverse().map((line) => h("li", {},
        h("span", {}, DONE[line.action] ?? line.action, line.photos ? ` (${plural(line.photos, "photo")})` : ""),
        h("time", { datetime: line.at }, moment(line.at))))));
  }

  async function tell() {
    tellPerson();
    await Promise.all([tellPhotos(), tellHistory()]);
  }

  /** Do something to the person, show them anew, and say what was done; a fault leaves what is shown. */
  async function change(work, words) {
    trouble.replaceChildren();
    try {
      const done = await work();
      somebody = await call("GET", path());
      await tell();
      say(words(done));
      return true;
    } catch (error) {
      trouble.replaceChildren(fault(error));
      return false;
    }
  }

  async function addPhotos(event) {
    event.preventDefault();
    if (!chosen.files.length) { result.replaceChildren(fault(new Error("choose at least one photo"))); chosen.focus(); return; }
    if (chosen.files.length > caps.max_photos) { result.replaceChildren(fault(new Error(`at most ${caps.max_photos} photos at once`))); return; }
    const { files } = chosen;
    add.disabled = true;
    result.replaceChildren(busy("Looking at the photos …"));
    try {
      const answer = await call("POST", galleryPath("/people"), await formOf({ name: somebody.name }, files.map((file) => ["photos", file])));
      result.replaceChildren(h("h3", {}, `${answer.accepted} of ${plural(files.length, "photo")} added`), reportList(answer.reports, files));
      chosen.clear();
      await change(async () => answer, () => `${answer.accepted} of ${plural(files.length, "photo")} added`);
    } catch (error) {
      result.replaceChildren(fault(error), error.reports?.length ? reportList(error.reports, files) : "");
    } finally {
      add.disabled = false;
    }
  }

  async function rename() {
    const name = await ask({ title: `Rename ${somebody.name}`, text: "The photos stay.", yes: "Rename", field: "New name", value: somebody.name });
    if (!name || name === somebody.name) return;
    await change(() => call("PATCH", path(), { name }), () => `Renamed to ${name}`);
    about.querySelector("button")?.focus();
  }

  async function regroup() {
    const typed = await ask({ title: `Groups of ${somebody.name}`, text: "Groups can be searched alone. Put commas between them.", yes: "Save", field: "Groups", value: somebody.groups.join(", ") });
    if (typed === null) return;
    const groups = typed.split(",").map((item) => item.trim()).filter(Boolean);
    await change(() => call("PATCH", path(), { groups }), () => "Groups saved");
    about.querySelectorAll("button")[1]?.focus();
  }

  async function handOver() {
    trouble.replaceChildren();
    try {
      const all = await call("GET", path("/access"));
      const url = URL.createObjectURL(new Blob([JSON.stringify(all, null, 2)], { type: "application/json" }));
      h("a", { href: url, download: `${id}.json` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000); // the browser saves it meanwhile
      say(`What is kept of ${somebody.name} was saved as a file`);
      await tellHistory();
    } catch (error) { trouble.replaceChildren(fault(error)); }
  }

  async function drop(photo, place) {
    const sure = await ask({ title: `Remove photo ${place}?`, yes: "Remove it", danger: true, text: `This erases the embedding of one photo; ${somebody.name} stays known by the others. It cannot be undone.` });
    if (!sure) return;
    await change(() => call("DELETE", path(`/photos/${photo.photo_id}`)), () => `Photo ${place} removed`);
    document.getElementById("photos-title")?.focus();
  }

  async function forget() {
    const sure = await ask({
      title: `Forget ${somebody.name}?`, yes: `Forget ${somebody.name}`, danger: true,
      text: `This erases ${plural(somebody.photos, "embedding")} and everything else stored about this person. It cannot be undone.`,
    });
    if (!sure) return;
    try {
      const erased = await call("DELETE", path());
      location.hash = "#people";
      say(`${somebody.name} is forgotten; ${plural(erased.templates, "embedding")} erased`);
    } catch (error) { trouble.replaceChildren(fault(error)); }
  }

  /** Where one person was entered twice: the other entry is found by name and joined with this one. */
  function twice() {
    const found = new Map();
    const names = h("datalist", { id: "other-names" });
    const other = h("input", { id: "other", list: "other-names", maxlength: 200, autocomplete: "off" });
    const place = h("div");
    other.addEventListener("input", async () => {
      const page = await call("GET", galleryPath(`/people?limit=8&search=${encodeURIComponent(other.value.trim())}`)).catch(() => ({ people: [] }));
      for (const item of page.people) if (item.person_id !== id) found.set(item.name, item);
      names.replaceChildren(...[...found.values()].map((item) => h("option", { value: item.name })));
    });
    const join = async (event) => {
      event.preventDefault();
      const name = other.value.trim();
      place.replaceChildren();
      if (!name) { place.replaceChildren(fault(new Error("give the name of the other entry"))); other.focus(); return; }
      const page = await call("GET", galleryPath(`/people?limit=50&search=${encodeURIComponent(name)}`)).catch(() => ({ people: [] }));
      const gone = page.people.find((item) => item.name === name && item.person_id !== id);
      if (!gone) { place.replaceChildren(fault(new Error(`nobody else in this gallery is called “${name}”`))); other.focus(); return; }
      const sure = await ask({
        title: `Are ${somebody.name} and ${gone.name} one person?`, yes: "Join them", danger: true,
        text: `${plural(gone.photos, "photo")} of ${gone.name} will belong to ${somebody.name}, and the name ${gone.name} goes. It cannot be undone.`,
      });
      if (sure && await change(() => call("POST", path("/merge"), { other: gone.person_id }), () => `${gone.name} is now part of ${somebody.name}`)) other.value = "";
    };
    return h("form", { class: "card", novalidate: true, onsubmit: join },
      h("h2", {}, "Entered twice?"),
      h("p", { class: "said" }, "If another name is the same person, its photos can come here."),
      h("div", { class: "row" }, h("label", { class: "field" }, h("span", {}, "The other name"), other, names), h("button", { type: "submit" }, "Join")),
      place);
  }

  await tell();
}
