// 1:1: two photos, same or not; or a photo against an enrolled person.

import { call, formOf, galleryPath, policy, state } from "./api.js";
import { busy, chance, fault, glyph, h, number, say, standing } from "./dom.js";
import { PhotoDrop } from "./photo.js";
import { distanceScale, scaleWords } from "./scale.js";

export async function compare(main) {
  const result = h("section", { "aria-label": "Answer" });
  let running = null;
  const first = new PhotoDrop({ title: "First photo", highest: 340, changed: () => ask() });
  const second = new PhotoDrop({ title: "Second photo", highest: 340, changed: () => ask() });
  const claim = h("input", { id: "claim", list: "claim-names", maxlength: 200, placeholder: "Nobody: compare two photos", autocomplete: "off", onchange: () => ask() });
  const names = h("datalist", { id: "claim-names" });
  claim.addEventListener("input", async () => {
    second.element.hidden = Boolean(claim.value.trim());
    if (!state.gallery) return;
    const found = await call("GET", galleryPath(`/people?limit=8&search=${encodeURIComponent(claim.value)}`)).catch(() => ({ people: [] }));
    names.replaceChildren(...found.people.map((person) => h("option", { value: person.name })));
  });
  main.append(
    h("h1", {}, "Same person?"),
    h("p", { class: "lead" }, "Give two photos that show one face each. The answer comes with the distance that decided it."),
    h("div", { class: "pair" }, first.element, second.element),
    h("div", { class: "row" }, h("label", { class: "field" }, h("span", {}, "Or: is the first photo this enrolled person?"), claim, names)),
    result,
  );
  const onPaste = (event) => (first.file ? second : first).paste(event);
  document.addEventListener("paste", onPaste);

  async function ask() {
    const name = claim.value.trim();
    if (!first.file || !(name || second.file)) return;
    running?.abort();
    const mine = (running = new AbortController());
    result.replaceChildren(h("div", { class: "card" }, busy("Looking …")));
    try {
      const answer = name
        ? await call("POST", galleryPath("/verify"), await formOf({ name }, [["photo", first.file]]), mine.signal)
        : await call("POST", "verify", await formOf({}, [["probe", first.file], ["reference", second.file]]), mine.signal);
      const { operating_point: point } = await policy();
      if (mine.signal.aborted) return;
      first.draw([{ box: answer.probe_box, kind: "plain" }], answer.probe_size);
      if (answer.reference_box) second.draw([{ box: answer.reference_box, kind: "plain" }], answer.reference_size);
      result.replaceChildren(verdict(answer, point, name));
      say(answer.same ? "Same person" : "Different people");
    } catch (error) {
      if (error.name !== "AbortError") result.replaceChildren(fault(error));
    }
  }

  return () => { running?.abort(); document.removeEventListener("paste", onPaste); };
}

function verdict(answer, point, name) {
  const title = name ? (answer.same ? `Yes, ${name}` : `Not ${name}`) : answer.same ? "Same person" : "Different people";
  const side = answer.same ? "under" : "not under";
  return h("div", { class: "card", "data-same": String(answer.same) },
    h("div", { class: "verdict" },
      h("div", { class: `mark ${answer.same ? "same" : "other"}` }, glyph(answer.same ? "check" : "cross")),
      h("div", {}, h("h2", {}, title), h("p", {}, `Distance ${number(answer.distance)} is ${side} the threshold τ = ${number(answer.threshold)}.`))),
    distanceScale(answer.distance, answer.threshold, point.distances),
    h("p", { class: "said" }, scaleWords(answer.distance, point)),
    standing(answer),
    h("dl", { class: "facts" },
      fact("Distance", number(answer.distance)),
      fact("Threshold τ", number(answer.threshold)),
      fact("Chosen for", answer.operating_point.target),
      answer.probability === null ? null : fact("Probability of same", chance(answer.probability))));
}

export function fact(name, value) { return h("div", {}, h("dt", {}, name), h("dd", {}, value)); }
