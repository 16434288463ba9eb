// Several chosen photos: a place to drop them, and thumbnails that can be taken out again.

import { glyph, h } from "./dom.js";
import { PhotoDrop, pictureOf } from "./photo.js";

export class Chosen {
  constructor(title, files = []) {
    this.files = files;
    this.thumbs = h("ul", { class: "thumbs", "aria-label": "Chosen photos" });
    this.drop = new PhotoDrop({ title, many: true, changed: (more) => { this.files = [...this.files, ...more]; this.show(); } });
    this.element = h("div", {}, this.drop.element, this.thumbs);
    this.show();
  }

  show() {
    this.thumbs.hidden = !this.files.length;
    this.thumbs.replaceChildren(...this.files.map((file) => h("li", {},
      pictureOf(file, file.name),
      h("button", { type: "button", onclick: () => this.takeOut(file) }, glyph("cross"), h("span", { class: "hidden" }, `Remove ${file.name}`)))));
  }

  takeOut(file) {
    this.files = this.files.filter((other) => other !== file);
    this.show();
    this.focus();
  }

  clear() { this.files = []; this.show(); }
  focus() { this.drop.input.focus(); }
}
