// Make a person known, with a report on each photo.

import { call, formOf, galleryPath, policy, state } from "./api.js";
import { busy, fault, glyph, h, plural, say, sentence } from "./dom.js";
import { PhotoDrop, pictureOf } from "./photo.js";

export async function enroll(main) {
  let files = state.handedOver ? [state.handedOver] : [];
  state.handedOver = null;
  const result = h("section", { "aria-label": "Report" });
  const name = h("input", { id: "enroll-name", required: true, maxlength: 200, autocomplete: "off", value: new URLSearchParams(location.hash.split("?")[1]).get("name") ?? "" });
  const groups = h("input", { id: "enroll-groups", autocomplete: "off", placeholder: "staff, night shift" });
  const thumbs = h("ul", { class: "thumbs", "aria-label": "Chosen photos" });
  const submit = h("button", { class: "primary" }, "Enroll");
  const drop = new PhotoDrop({ title: "Photos", many: true, changed: (more) => { files.push(...more); show(); } });
  const form = h("form", { class: "card", novalidate: true },
    h("label", { class: "field" }, h("span", {}, "Name"), name),
    drop.element, thumbs,
    h("div", { class: "row" },
      h("label", { class: "field" }, h("span", {}, "Groups, by commas"), groups)),
    h("div", { class: "actions" }, submit));
  main.append(
    h("h1", {}, "Enroll"),
    h("p", { class: "lead" }, "One photo makes a person known; a few make the answer steadier. Only embeddings are stored, never pictures."),
    h("div", { class: "two" }, form, result),
  );
  result.append(h("div", { class: "card" }, h("p", { class: "empty" }, "What became of each photo is said here.")));

  function show() {
    thumbs.replaceChildren(...files.map((file, place) => h("li", {},
      pictureOf(file, file.name),
      h("button", { type: "button", onclick: () => { files.splice(place, 1); show(); drop.input.focus(); } }, glyph("cross"), h("span", { class: "hidden" }, `Remove ${file.name}`)))));
  }

  show();
  if (files.length) (name.value ? submit : name).focus({ preventScroll: true });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!name.value.trim()) { result.replaceChildren(fault(new Error("give a name first"))); name.focus(); return; }
    if (!files.length) { result.replaceChildren(fault(new Error("give at least one photo"))); drop.input.focus(); return; }
    const { caps } = await policy();
    if (files.length > caps.max_photos) { result.replaceChildren(fault(new Error(`at most ${caps.max_photos} photos at once`))); return; }
    submit.disabled = true;
    result.replaceChildren(h("div", { class: "card" }, busy("Looking at the photos …")));
    const body = await formOf({ name: name.value }, files.map((file) => ["photos", file]));
    for (const group of groups.value.split(",").map((item) => item.trim()).filter(Boolean)) body.append("groups", group);
    try {
      const answer = await call("POST", galleryPath("/people"), body);
      result.replaceChildren(report(answer, files));
      say(`${answer.person.name}: ${answer.accepted} of ${plural(files.length, "photo")} accepted`);
      files = [];
      show();
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
    reportList(answer.reports, files));
}

function reportList(reports, files) {
  return h("ul", { class: "reports" }, reports.map((item, place) => h("li", {},
    files[place] ? faceOf(files[place], item.box) : h("span"),
    h("div", {},
      h("span", { class: `chip ${item.accepted ? "same" : "other"}` }, item.accepted ? "accepted" : item.reason),
      h("p", {}, [item.photo || files[place]?.name, item.quality === null || item.quality === undefined ? "" : `quality ${Math.round(item.quality * 100)} of 100`, sentence(item.detail ?? "")].filter(Boolean).join(" · "))))));
}

/** A thumbnail whose crop is centred on the face. */
function faceOf(file, box) {
  const image = pictureOf(file, "");
  if (box) {
    image.addEventListener("load", () => {
      // object-position moves within the part that does not fit, so the centre is taken relative to that part.
      const along = (low, high, side, shown) => (side > shown ? Math.min(100, Math.max(0, 100 * ((low + high) / 2 - shown / 2) / (side - shown))) : 50);
      const { naturalWidth: width, naturalHeight: height } = image;
      const shown = Math.min(width, height);
      image.style.objectPosition = `${along(box.x1, box.x2, width, shown)}% ${along(box.y1, box.y2, height, shown)}%`;
    }, { once: true });
  }
  return image;
}
