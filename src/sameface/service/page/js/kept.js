// One stored photo as a line: no picture is kept, so the face's place in it is drawn.

import { glyph, h, moment } from "./dom.js";

/** remove: what to do when the photo shall go; null where it may not. */
export function kept(photo, place, remove) {
  const file = photo.source.split(/[\\/]/).pop(); // "" for uploads, of which no name is kept
  const quality = photo.quality === null ? null : Math.round(photo.quality * 100);
  return h("li", { "data-photo": String(photo.photo_id) },
    h("div", {},
      h("strong", {}, `Photo ${place}`),
      file ? h("p", { title: photo.source }, file) : null,
      h("p", {}, photo.added ? h("time", { datetime: photo.added }, moment(photo.added)) : "date not kept",
        photo.box ? ` · face of ${Math.round(photo.box.x2 - photo.box.x1)} × ${Math.round(photo.box.y2 - photo.box.y1)} pixels` : ""),
      quality === null ? null : h("p", { class: "quality" }, h("meter", { min: 0, max: 100, low: 30, high: 60, optimum: 100, value: quality, "aria-label": `Quality of photo ${place}` }), ` quality ${quality} of 100`)),
    remove ? h("button", { type: "button", class: "icon small", onclick: remove }, glyph("cross"), h("span", { class: "hidden" }, `Remove photo ${place}`)) : null);
}
