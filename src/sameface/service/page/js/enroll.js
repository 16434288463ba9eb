// Make a person known, with a report on each photo.

import { call, formOf, galleryPath, policy, state } from "./api.js";
import { Chosen } from "./chosen.js";
import { busy, fault, glyph, h, plural, say } from "./dom.js";
import { personLink } from "./person.js";
import { reportList } from "./reports.js";

export async function enroll(main) {
  const result = h("section", { "aria-label": "Report" });
  const name = h("input", { id: "enroll-name", required: true, maxlength: 200, autocomplete: "off", value: new URLSearchParams(location.hash.split("?")[1]).get("name") ?? "" });
  const groups = h("input", { id: "enroll-groups", autocomplete: "off", placeholder: "staff, night shift" });
  const submit = h("button", { class: "primary" }, "Enroll");
  const chosen = new Chosen("Photos", state.handedOver ? [state.handedOver] : []);
  state.handedOver = null;
  const form = h("form", { class: "card", novalidate: true },
    h("label", { class: "field" }, h("span", {}, "Name"), name),
    chosen.element,
    h("div", { class: "row" },
      h("label", { class: "field" }, h("span", {}, "Groups (with commas between them; may stay empty)"), groups)),
    h("div", { class: "actions" }, submit));
  main.append(
    h("h1", {}, "Enroll"),
    h("p", { class: "lead" }, "One photo makes a person known; a few make the answer steadier. Only embeddings are stored, never pictures."),
    h("div", { class: "two" }, form, result),
  );
  result.append(h("div", { class: "card" }, h("p", { class: "empty" }, "What became of each photo is said here.")));
  if (chosen.files.length) (name.value ? submit : name).focus({ preventScroll: true });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!name.value.trim()) { result.replaceChildren(fault(new Error("give a name first"))); name.focus(); return; }
    if (!chosen.files.length) { result.replaceChildren(fault(new Error("give at least one photo"))); chosen.focus(); return; }
    const { caps } = await policy();
    const { files } = chosen;
    if (files.length > caps.max_photos) { result.replaceChildren(fault(new Error(`at most ${caps.max_photos} photos at once`))); return; }
    submit.disabled = true;
    result.replaceChildren(h("div", { class: "card" }, busy("Looking at the photos …")));
    const body = await formOf({ name: name.value }, files.map((file) => ["photos", file]));
    for (const group of groups.value.split(",").map((item) => item.trim()).filter(Boolean)) body.append("groups", group);
    try {
      const answer = await call("POST", galleryPath("/people"), body);
      result.replaceChildren(report(answer, files));
      say(`${answer.person.name}: ${answer.accepted} of ${plural(files.length, "photo")} accepted`);
      chosen.clear();
    } catch (error) {
      result.replaceChildren(fault(error), error.reports?.length ? reportList(error.reports, files) : "");
    } finally {
      submit.disabled = false;
    }
  });
}

function report(answer, files) {
  const count = `${answer.accepted} of ${plural(answer.reports.length, "photo")} stored; ${answer.person.name} has ${plural(answer.person.photos, "photo")} now.`;
  return h("div", { class: "card", "data-accepted": answer.accepted },
    h("div", { class: "verdict" },
      h("div", { class: `mark ${answer.accepted ? "same" : "other"}` }, glyph(answer.accepted ? "check" : "cross")),
      h("div", {}, h("h2", {}, answer.accepted ? `${answer.person.name} is enrolled` : "Nothing new"), h("p", {}, count))),
    reportList(answer.reports, files),
    h("p", { class: "next" }, h("a", { href: personLink(answer.person) }, `What is kept of ${answer.person.name}`), " · ", h("a", { href: "#identify" }, "Try it: who is this?")));
}
