// Photos on the page: a place to drop or shoot one, and a view with boxes drawn on it.

import { glyph, h } from "./dom.js";
import { shoot } from "./camera.js";

/** A picture (or video) in its own proportions, with faces drawn over it at percentages, so that every size fits. */
export class View {
  constructor(inner, highest = 420) {
    this.inner = inner;
    this.highest = highest;
    this.element = h("div", { class: "view" }, inner);
  }

  proportions(width, height) {
    this.element.style.aspectRatio = `${width} / ${height}`;
    this.element.style.width = `min(100%, ${Math.round(this.highest * width / height)}px)`;
  }

  /** faces: [{box, label, kind}], label a text or {place, name}, in pixels of the upright photo of that size. */
  draw(faces, size) {
    this.element.querySelectorAll(".face").forEach((old) => old.remove());
    for (const { box, label, kind } of faces) {
      const frame = h("div", { class: `face ${kind}${box.y2 > size.height * 0.86 ? " high" : ""}${box.x1 > size.width * 0.7 ? " late" : ""}` }, label ? h("b", {}, label.place ? [String(label.place), h("span", { class: "long" }, ` ${label.name}`)] : label) : null);
      frame.style.left = `${100 * box.x1 / size.width}%`;
      frame.style.top = `${100 * box.y1 / size.height}%`;
      frame.style.width = `${100 * (box.x2 - box.x1) / size.width}%`;
      frame.style.height = `${100 * (box.y2 - box.y1) / size.height}%`;
      this.element.append(frame);
    }
  }

  /** Let the face of that place stand out, or no more. */
  light(place, on) { this.element.querySelectorAll(".face")[place]?.classList.toggle("lit", on); }
}

export function pictureOf(file, alt) {
  const url = URL.createObjectURL(file);
  const image = h("img", { src: url, alt });
  image.addEventListener("load", () => URL.revokeObjectURL(url), { once: true });
  return image;
}

/** A drop zone that is also a file button and, beside it, a camera button. Calls changed(file or files). */
export class PhotoDrop {
  constructor({ title, many = false, highest = 420, changed }) {
    this.many = many;
    this.highest = highest;
    this.changed = changed;
    this.title = title;
    this.file = null;
    this.image = null;
    this.input = h("input", { type: "file", accept: "image/*", multiple: many, class: "hidden", "aria-label": `${title}: choose a file`, onchange: () => this.take([...this.input.files]) });
    this.words = h("span", { class: "drop-words" }, glyph("photo"), h("strong", {}, title), h("span", {}, many ? "Drop photos or choose files" : "Drop a photo or choose a file"), h("span", { class: "more" }, many ? "One is enough; up to 20" : "JPEG, PNG or WebP"));
    this.zone = h("label", { class: "drop" }, this.words, this.input);
    this.name = h("span", { class: "name" });
    const camera = h("button", { type: "button", class: "small quiet", onclick: async () => { const photo = await shoot(); camera.focus(); if (photo) this.take([photo]); } }, "Use camera", h("span", { class: "hidden" }, ` for ${title}`));
    this.element = h("div", { class: "photo" }, this.zone, h("div", { class: "photo-tools" }, this.name, camera));
    this.zone.addEventListener("dragover", (event) => { event.preventDefault(); this.zone.classList.add("over"); });
    this.zone.addEventListener("dragleave", () => this.zone.classList.remove("over"));
    this.zone.addEventListener("drop", (event) => {
      event.preventDefault();
      this.zone.classList.remove("over");
      this.take([...event.dataTransfer.files]);
    });
  }

  take(files) {
    this.input.value = "";
    if (!files.length) return;
    if (this.many) { this.changed(files); return; }
    this.show(files[0]);
    this.changed(files[0]);
  }

  show(file) {
    this.file = file;
    const image = pictureOf(file, `${this.title}: ${file.name}`);
    this.image = image;
    this.view = new View(image, this.highest);
    image.addEventListener("load", () => this.view.proportions(image.naturalWidth, image.naturalHeight));
    image.addEventListener("error", () => { image.alt = "This browser cannot show the file."; });
    this.zone.classList.add("full");
    this.zone.replaceChildren(this.view.element, this.input);
    this.name.textContent = file.name;
  }

  draw(faces, size) { this.view?.draw(faces, size); }

  paste(event) {
    const file = [...(event.clipboardData?.files || [])].find((item) => item.type.startsWith("image/"));
    if (file) this.take([file]);
    return Boolean(file);
  }
}
