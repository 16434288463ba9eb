// Who is enrolled: search, rename, forget; what is kept of somebody, and until when.

import { call, galleryPath, policy, state } from "./api.js";
import { busy, fault, h, plural, say } from "./dom.js";
import { ask } from "./dialogs.js";

export async function people(main) {
  const search = h("input", { type: "search", id: "people-search", placeholder: "Part of a name", autocomplete: "off" });
  const rows = h("tbody");
  const count = h("p", { class: "said", "aria-live": "polite" });
  const more = h("button", { type: "button", hidden: true, onclick: () => load(cursor) }, "Show more");
  const trouble = h("div");
  let cursor = null, timer = null;
  const role = (await policy()).role;
  const mayRule = role === "admin", mayExport = mayRule || role === "enroll";
  main.append(
    h("h1", {}, "People"),
    h("p", { class: "lead" }, `Everybody in the gallery “${state.gallery ?? "none"}”. Forgetting erases a person's embeddings at once, for every worker.`),
    h("div", { class: "row" },
      h("label", { class: "field" }, h("span", {}, "Search"), search),
      mayRule ? h("button", { type: "button", onclick: makeGallery }, "New gallery") : null),
    trouble,
    h("div", { class: "card" },
      h("div", { class: "table" }, h("table", { class: "people" },
        h("caption", { class: "hidden" }, "Enrolled people"),
        h("thead", {}, h("tr", {}, ["Name", "Photos", "Groups", "Enrolled", "Kept until"].map((word) => h("th", { scope: "col" }, word)), h("th", { scope: "col" }, h("span", { class: "hidden" }, "What to do")))),
        rows)),
      h("div", { class: "actions start" }, more), count),
  );
  search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => load(), 200); });

  async function load(from = null) {
    trouble.replaceChildren();
    if (!from) rows.replaceChildren(h("tr", {}, h("td", { colspan: 6 }, busy("Loading …"))));
    try {
      const query = new URLSearchParams({ limit: "50", search: search.value.trim() });
      if (from) query.set("cursor", from);
      const page = await call("GET", galleryPath(`/people?${query}`));
      if (!from) rows.replaceChildren();
      rows.append(...page.people.map(row));
      if (!page.total) rows.replaceChildren(h("tr", {}, h("td", { colspan: 6, class: "empty" }, search.value ? "Nobody of that name." : "Nobody is enrolled yet.")));
      cursor = page.next;
      more.hidden = !cursor;
      count.textContent = plural(page.total, "person");
    } catch (error) {
      rows.replaceChildren();
      trouble.replaceChildren(fault(error));
    }
  }

  function row(person) {
    const line = h("tr", { "data-name": person.name },
      h("th", { scope: "row" }, person.name),
      h("td", {}, h("span", { class: "chip" }, plural(person.photos, "photo"))),
      h("td", { class: "groups" }, person.groups.join(", ")),
      h("td", { class: "when" }, new Date(person.created).toLocaleDateString()),
      h("td", { class: "when" }, person.hold ? `held: ${person.hold}` : person.expires ? new Date(person.expires).toLocaleDateString() : "–"),
      h("td", { class: "end" },
        mayExport ? h("button", { type: "button", class: "small", onclick: () => handOver(person) }, "What is kept", h("span", { class: "hidden" }, ` of ${person.name}`)) : null,
        h("button", { type: "button", class: "small", onclick: () => rename(person, line) }, "Rename", h("span", { class: "hidden" }, ` ${person.name}`)),
        h("button", { type: "button", class: "small danger", onclick: () => forget(person) }, "Forget", h("span", { class: "hidden" }, ` ${person.name}`))));
    return line;
  }

  async function handOver(person) {
    try {
      const kept = await call("GET", galleryPath(`/people/${person.person_id}/access`));
      const url = URL.createObjectURL(new Blob([JSON.stringify(kept, null, 2)], { type: "application/json" }));
      h("a", { href: url, download: `${person.person_id}.json` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000); // the browser saves it meanwhile
      say(`What is kept of ${person.name} was saved as a file`);
    } catch (error) { trouble.replaceChildren(fault(error)); }
  }

  async function rename(person, line) {
    const name = await ask({ title: `Rename ${person.name}`, text: "The id and the photos stay.", yes: "Rename", field: "New name", value: person.name });
    if (!name || name === person.name) return;
    try {
      line.replaceWith(row(await call("PATCH", galleryPath(`/people/${person.person_id}`), { name })));
      say(`${person.name} is now ${name}`);
    } catch (error) { trouble.replaceChildren(fault(error)); }
  }

  async function forget(person) {
    const sure = await ask({
      title: `Forget ${person.name}?`, yes: `Forget ${person.name}`, danger: true,
      text: `This erases ${plural(person.photos, "embedding")} and everything else stored about this person. It cannot be undone.`,
    });
    if (!sure) return;
    try {
      const erased = await call("DELETE", galleryPath(`/people/${person.person_id}`));
      say(`${person.name} is forgotten; ${plural(erased.templates, "embedding")} erased`);
      await load();
      search.focus();
    } catch (error) { trouble.replaceChildren(fault(error)); }
  }

  async function makeGallery() {
    const typed = await ask({ title: "New gallery", text: "For instance: visitors.", yes: "Make it", field: "Name", value: "" });
    const name = typed && usable(typed);
    if (!typed) return;
    if (!name) { trouble.replaceChildren(fault(new Error("a gallery's name needs a letter from a to z or a digit"))); return; }
    try {
      await call("POST", "galleries", { name });
      document.dispatchEvent(new CustomEvent("galleries-changed", { detail: name }));
    } catch (error) { trouble.replaceChildren(fault(error)); }
  }

  await load();
  return () => clearTimeout(timer);
}

/** "My Friends" → "my-friends": galleries are named by lower-case letters, digits and hyphens. */
export function usable(typed) {
  return typed.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60).replace(/-+$/, "");
}
