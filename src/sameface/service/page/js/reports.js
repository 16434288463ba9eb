// What became of each photo at an enrolment.

import { h, sentence } from "./dom.js";
import { pictureOf } from "./photo.js";

export function reportList(reports, files) {
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
