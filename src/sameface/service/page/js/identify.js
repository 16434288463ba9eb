// 1:K: who is in this photo? One answer per face, or nobody.

import { call, formOf, galleryPath, policy, state } from "./api.js";
import { fileOf, thumbnail } from "./crop.js";
import { beside, busy, fault, h, number, plural, reveal, say, standing } from "./dom.js";
import { PhotoDrop } from "./photo.js";

let kept = null; // the last photo with its answer, for whoever comes back

export function facesOf(answer) {
  return answer.faces.map((face) => ({ box: face.box, label: face.name ?? "nobody", kind: face.name ? "named" : "nobody" }));
}

/** On a photo that is listed beside, each face has its number. */
function numbered(answer) {
  const faces = facesOf(answer);
  return faces.length < 2 ? faces : faces.map((face, place) => ({ ...face, label: { place: place + 1, name: face.label } }));
}

export async function identify(main) {
  const result = h("section", { class: "card", "aria-label": "Answers" }, h("p", { class: "empty" }, "Every face of the photo gets an answer: a name, or nobody."));
  let running = null;
  const columns = h("div", { class: "two" });
  const drop = new PhotoDrop({ title: "Photo", highest: 620, changed: ask });
  main.append(
    h("h1", {}, "Who is this?"),
    h("p", { class: "lead" }, "Whoever is enrolled and near enough is named. Everybody else stays nobody."),
    columns,
  );
  columns.append(h("div", { class: "card" }, drop.element), result);
  const onPaste = (event) => drop.paste(event);
  document.addEventListener("paste", onPaste);
  if (kept?.gallery === state.gallery) {
    const last = kept;
    drop.show(last.file);
    drop.image.addEventListener("load", () => { if (kept === last) tell(last.answer, last.fpir); }, { once: true });
  }

  async function ask(file) {
    running?.abort();
    const mine = (running = new AbortController());
    const gallery = state.gallery;
    kept = null;
    result.replaceChildren(busy("Looking …"));
    try {
      const answer = await call("POST", galleryPath("/identify"), await formOf({}, [["photo", file]]), mine.signal);
      const { fpir } = await policy();
      await drop.image.decode().catch(() => null);
      kept = { file, answer, fpir, gallery };
      tell(answer, fpir);
      const named = answer.faces.filter((face) => face.name).map((face) => face.name);
      say(`${plural(answer.faces.length, "face")}: ${named.length ? named.join(", ") : "nobody known"}`);
    } catch (error) {
      if (error.name !== "AbortError") result.replaceChildren(fault(error));
    }
  }

  function tell(answer, fpir) {
    columns.classList.toggle("wide", answer.size.width > 1.6 * answer.size.height);
    drop.draw(numbered(answer), answer.size);
    result.replaceChildren(...listing(answer, fpir, drop));
    if (answer.faces.length) reveal(result);
  }

  return () => { running?.abort(); document.removeEventListener("paste", onPaste); };
}

function listing(answer, fpir, drop) {
  if (!answer.faces.length) return [h("p", { class: "empty" }, "No face was found in this photo. Try one where the face is larger, sharper or turned less.")];
  const items = answer.faces.map((face, place) => h("li", {
    "data-name": face.name ?? "",
    onmouseenter: () => drop.view.light(place, true),
    onmouseleave: () => drop.view.light(place, false),
  },
  h("div", { class: "who" },
    drop.image.naturalWidth ? thumbnail(drop.image, face.box, answer.size) : null,
    answer.faces.length > 1 ? h("span", { class: "place", "aria-label": `Face ${place + 1}` }, String(place + 1)) : null,
    h("strong", {}, face.name ?? "Nobody"),
    h("span", { class: `chip ${face.name ? "same" : "other"}` }, face.name ? "known" : "not known")),
  h("p", {}, inWords(face)),
  standing(face),
  h("div", { class: "actions start" }, h("button", { type: "button", class: "small", onclick: () => handOver(drop, answer, place) },
    face.name ? "Add this photo" : "Enroll this face",
    h("span", { class: "hidden" }, face.name ? ` to ${face.name}` : ` (face ${place + 1})`))),
  details(face)));
  const first = answer.faces[0];
  return [
    h("h2", {}, plural(answer.faces.length, "face")),
    h("ol", { class: "answers" }, items),
    h("p", { class: "said" }, `Searched ${plural(first.comparisons, "photo")}. Of strangers, about ${(fpir * 100).toPrecision(2)} in 100 may be named by mistake.`),
  ];
}

function inWords(face) {
  const told = face.distance !== null && face.distance !== undefined && face.threshold !== null && face.threshold !== undefined;
  if (face.name) return told ? `Distance ${beside(face.distance, face.threshold)}.` : "Near enough.";
  if (!face.comparisons) return "Nobody is enrolled yet.";
  const nearest = face.candidates[0];
  if (!told || !nearest) return "Nobody who is enrolled is near enough.";
  return `The nearest is ${nearest.name}, at distance ${beside(face.distance, face.threshold)}.`;
}

function details(face) {
  return h("details", {}, h("summary", {}, "Details"),
    h("p", {}, `${face.why}.`),
    face.candidates.length ? h("ul", { class: "near", "aria-label": "Nearest people" }, face.candidates.map((item) => h("li", {}, `${item.name} `, h("span", { class: "number" }, number(item.distance))))) : null,
    face.candidates.length ? h("p", {}, "These numbers are distances, not matches.") : null);
}

/** To the Enroll page, with this face alone and, where it is known, its name. */
async function handOver(drop, answer, place) {
  const face = answer.faces[place];
  state.handedOver = await fileOf(drop.image, answer.faces, place, answer.size, `face of ${drop.file.name}`);
  location.hash = face.name ? `#enroll?name=${encodeURIComponent(face.name)}` : "#enroll";
}
