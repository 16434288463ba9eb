// Who is enrolled: a list to search, from where each person's own page is reached.

import { call, galleryPath, policy, state } from "./api.js";
import { busy, day, fault, h, plural } from "./dom.js";
import { ask } from "./dialogs.js";
import { personLink } from "./person.js";

export async function people(main) {
  const search = h("input", { type: "search", id: "people-search", placeholder: "Part of a name", autocomplete: "off" });
  const rows = h("tbody");
  const count = h("p", { class: "said", "aria-live": "polite" });
  const more = h("button", { type: "button", hidden: true, onclick: () => load(cursor) }, "Show more");
  const trouble = h("div");
  let cursor = null, timer = null;
  const role = (await policy()).role;
  main.append(
    h("h1", {}, "People"),
    h("p", { class: "lead" }, state.gallery ? `Everybody in the gallery “${state.gallery}”. A name leads to what is kept of that person.` : "There is no gallery yet. Make one, then enroll somebody."),
    h("div", { class: "row" },
      h("label", { class: "field" }, h("span", {}, "Search"), search),
      role === "admin" ? h("button", { type: "button", onclick: makeGallery }, "New gallery") : null),
    trouble,
    h("div", { class: "card" },
      h("div", { class: "table" }, h("table", { class: "people" },
        h("caption", { class: "hidden" }, "Enrolled people"),
        h("thead", {}, h("tr", {}, ["Name", "Photos", "Groups", "Enrolled", "Kept until"].map((word) => h("th", { scope: "col" }, word)))),
        rows)),
      h("div", { class: "actions start" }, more), count),
  );
  search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => load(), 200); });

  async function load(from = null) {
    trouble.replaceChildren();
    if (!state.gallery) { rows.replaceChildren(); return; }
    if (!from) rows.replaceChildren(h("tr", {}, h("td", { colspan: 5 }, busy("Loading …"))));
    try {
      const query = new URLSearchParams({ limit: "50", search: search.value.trim() });
      if (from) query.set("cursor", from);
      const page = await call("GET", galleryPath(`/people?${query}`));
      if (!from) rows.replaceChildren();
      rows.append(...page.people.map(row));
      if (!page.total) rows.replaceChildren(h("tr", {}, h("td", { colspan: 5, class: "empty" }, search.value ? "Nobody of that name." : nobodyYet())));
      cursor = page.next;
      more.hidden = !cursor;
      count.textContent = page.total ? plural(page.total, "person") : "";
    } catch (error) {
      rows.replaceChildren();
      trouble.replaceChildren(fault(error));
    }
  }

  function nobodyYet() {
    return role === "admin" || role === "enroll" ? ["Nobody is enrolled yet. ", h("a", { href: "#enroll" }, "Enroll the first person"), "."] : "Nobody is enrolled yet.";
  }

  function row(person) {
    return h("tr", { "data-name": person.name },
      h("th", { scope: "row" }, h("a", { href: personLink(person) }, person.name)),
      h("td", {}, h("span", { class: "chip" }, plural(person.photos, "photo"))),
      h("td", { class: "groups" }, person.groups.join(", ")),
      h("td", { class: "when" }, day(person.created)),
      h("td", { class: person.hold || person.expires ? "until" : "until never" }, person.hold ? `held: ${person.hold}` : person.expires ? day(person.expires) : "–"));
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
