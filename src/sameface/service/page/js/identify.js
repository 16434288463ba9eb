// 1:K: who is in this photo? One answer per face, or nobody.

import { call, formOf, galleryPath, policy } from "./api.js";
import { busy, fault, h, number, plural, say, standing } from "./dom.js";
import { PhotoDrop } from "./photo.js";

export function facesOf(answer) {
  return answer.faces.map((face) => ({ box: face.box, label: face.name ?? "nobody", kind: face.name ? "named" : "nobody" }));
}

export async function identify(main) {
  const result = h("section", { class: "card", "aria-label": "Answers" }, h("p", { class: "empty" }, "Every face of the photo gets an answer: a name, or nobody."));
  let running = null;
  const columns = h("div", { class: "two" });
  const drop = new PhotoDrop({ title: "Photo", highest: 620, changed: ask });
  main.append(
    h("h1", {}, "Who is this?"),
    h("p", { class: "lead" }, "The nearest enrolled person answers only when near enough. The more people are enrolled, the stricter the threshold."),
    columns,
  );
  columns.append(h("div", { class: "card" }, drop.element), result);
  const onPaste = (event) => drop.paste(event);
  document.addEventListener("paste", onPaste);

  async function ask(file) {
    running?.abort();
    const mine = (running = new AbortController());
    result.replaceChildren(busy("Looking …"));
    try {
      const answer = await call("POST", galleryPath("/identify"), await formOf({}, [["photo", file]]), mine.signal);
      const { fpir } = await policy();
      columns.classList.toggle("wide", answer.size.width > 1.6 * answer.size.height);
      drop.draw(facesOf(answer), answer.size);
      result.replaceChildren(...listing(answer, fpir));
      const named = answer.faces.filter((face) => face.name).map((face) => face.name);
      say(`${plural(answer.faces.length, "face")}: ${named.length ? named.join(", ") : "nobody known"}`);
    } catch (error) {
      if (error.name !== "AbortError") result.replaceChildren(fault(error));
    }
  }

  return () => { running?.abort(); document.removeEventListener("paste", onPaste); };
}

function listing(answer, fpir) {
  if (!answer.faces.length) return [h("p", { class: "empty" }, "No face was found in this photo.")];
  const items = answer.faces.map((face, place) => h("li", { "data-name": face.name ?? "" },
    h("div", { class: "who" },
      h("strong", {}, face.name ?? "Nobody"),
      h("span", { class: `chip ${face.name ? "same" : "other"}` }, face.name ? "known" : "not known")),
    h("p", {}, `Face ${place + 1}: ${face.why}.`),
    standing(face),
    face.candidates.length ? h("ul", { class: "near", "aria-label": "Nearest people" }, face.candidates.map((item) => h("li", {}, `${item.name} `, h("span", { class: "number" }, number(item.distance))))) : null));
  const first = answer.faces[0];
  return [
    h("h2", {}, plural(answer.faces.length, "face")),
    h("ol", { class: "answers" }, items),
    h("p", { class: "said" }, `Searched ${plural(first.comparisons, "photo")}; of searches for strangers, about ${(fpir * 100).toPrecision(2)} % may name somebody.${first.candidates.length ? " The smaller numbers are distances, not matches." : ""}`),
  ];
}
