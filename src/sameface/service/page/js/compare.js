// 1:1: two photos, same or not; or a photo against an enrolled person.

import { call, formOf, galleryPath, policy, state } from "./api.js";
import { fileOf, thumbnail } from "./crop.js";
import { beside, busy, chance, fault, glyph, h, number, reveal, say, standing } from "./dom.js";
import { PhotoDrop } from "./photo.js";
import { distanceScale, scaleWords } from "./scale.js";

let kept = null; // the last photos with their answer, for whoever comes back

export async function compare(main) {
  const result = h("section", { "aria-label": "Answer" });
  let running = null;
  const first = new PhotoDrop({ title: "First photo", highest: 250, changed: () => ask() });
  const second = new PhotoDrop({ title: "Second photo", highest: 250, changed: () => ask() });
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
    h("p", { class: "lead" }, "Give two photos that show one face each."),
    h("div", { class: "pair" }, first.element, second.element),
    h("div", { class: "row" }, h("label", { class: "field" }, h("span", {}, "Or: is the first photo this enrolled person?"), claim, names)),
    result,
  );
  const onPaste = (event) => (first.file ? second : first).paste(event);
  document.addEventListener("paste", onPaste);

  if (kept) {
    first.show(kept.files[0]);
    if (kept.files[1]) second.show(kept.files[1]);
    claim.value = kept.name;
    second.element.hidden = Boolean(kept.name);
    tell(kept);
  }

  async function ask(force = null) {
    const name = claim.value.trim();
    if (!first.file || !(name || second.file)) return;
    running?.abort();
    const mine = (running = new AbortController());
    const files = [first.file, name ? null : second.file];
    kept = null;
    result.replaceChildren(h("div", { class: "card" }, busy("Looking …")));
    try {
      const answer = name
        ? await call("POST", galleryPath("/verify"), await formOf({ name, force }, [["photo", files[0]]]), mine.signal)
        : await call("POST", "verify", await formOf({ force }, [["probe", files[0]], ["reference", files[1]]]), mine.signal);
      const { operating_point: point } = await policy();
      if (mine.signal.aborted) return;
      kept = { files, name, answer, point };
      tell(kept);
      reveal(result.querySelector(".verdict"));
      say(answer.same ? "Same person" : "Different people");
    } catch (error) {
      if (error.name === "AbortError") return;
      result.replaceChildren(fault(error), notComparable(error) ?? "");
      if (error.type?.includes("several")) await letChoose(/second photo/.test(error.got) ? second : first, mine.signal);
    }
  }

  function tell({ answer, point, name }) {
    first.draw([{ box: answer.probe_box, kind: "plain" }], answer.probe_size);
    if (answer.reference_box) second.draw([{ box: answer.reference_box, kind: "plain" }], answer.reference_size);
    result.replaceChildren(verdict(answer, point, name));
  }

  /** Of several faces one is clicked, and compared alone. */
  async function letChoose(drop, signal) {
    const found = await call("POST", "detect", await formOf({}, [["photo", drop.file]]), signal).catch(() => null);
    if (!found || signal.aborted) return;
    await drop.image.decode().catch(() => null);
    drop.draw(found.faces.map((face, place) => ({ box: face.box, label: String(place + 1), kind: "plain" })), found.size);
    const take = async (place) => {
      drop.take([await fileOf(drop.image, found.faces, place, found.size, `face ${place + 1} of ${drop.file.name}`)]);
      drop.input.focus();
    };
    result.replaceChildren(h("div", { class: "card", role: "group", "aria-labelledby": "which-face" },
      h("h2", { id: "which-face" }, `Which face of the ${drop === first ? "first" : "second"} photo do you mean?`),
      h("div", { class: "choices" }, found.faces.map((face, place) => h("button", { type: "button", class: "choice", onclick: () => take(place) },
        thumbnail(drop.image, face.box, found.size), h("span", {}, `Face ${place + 1}`))))));
    reveal(result);
    say(`There are ${found.faces.length} faces. Choose one.`);
  }

  /** Where a face is unlike those that τ was measured on: an answer that was asked for all the same, and says so. */
  function notComparable(error) {
    if (!error.type?.endsWith("not-comparable")) return null;
    return h("div", { class: "actions start" },
      h("button", { type: "button", onclick: () => ask("true") }, "Answer all the same, as a guess"));
  }

  return () => { running?.abort(); document.removeEventListener("paste", onPaste); };
}

function verdict(answer, point, name) {
  const title = name ? (answer.same ? `Yes, ${name}` : `Not ${name}`) : answer.same ? "Same person" : "Different people";
  return h("div", { class: "card", "data-same": String(answer.same) },
    h("div", { class: "verdict" },
      h("div", { class: `mark ${answer.same ? "same" : "other"}` }, glyph(answer.same ? "check" : "cross")),
      h("div", {}, h("h2", {}, title), h("p", {}, `Distance ${beside(answer.distance, answer.threshold)}.`))),
    standing(answer),
    distanceScale(answer.distance, answer.threshold, point.distances),
    h("details", {}, h("summary", {}, "Details"),
      h("p", { class: "said" }, scaleWords(answer.distance, point)),
      h("dl", { class: "facts" },
        fact("Distance", number(answer.distance)),
        fact("Threshold τ", number(answer.threshold)),
        fact("Chosen for", answer.operating_point.target),
        answer.probability === null ? null : fact("Probability of same", chance(answer.probability)))));
}

export function fact(name, value) { return h("div", {}, h("dt", {}, name), h("dd", {}, value)); }
