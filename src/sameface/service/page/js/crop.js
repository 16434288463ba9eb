// The part of a photo that shows one face, cut in the browser.

import { h } from "./dom.js";

/** A canvas with the face in its middle. size: of the photo whose pixels the box counts; around: margin, in faces. */
function cut(image, box, size, around, side) {
  const scale = image.naturalWidth / size.width;
  const whole = Math.max(box.x2 - box.x1, box.y2 - box.y1) * (1 + 2 * around) * scale;
  const x = (box.x1 + box.x2) / 2 * scale - whole / 2, y = (box.y1 + box.y2) / 2 * scale - whole / 2;
  const canvas = h("canvas", { width: side ?? Math.round(whole), height: side ?? Math.round(whole) });
  canvas.getContext("2d").drawImage(image, x, y, whole, whole, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** A thumbnail of one face. */
export function thumbnail(image, box, size) {
  const canvas = cut(image, box, size, 0.35, 144);
  canvas.className = "crop";
  canvas.setAttribute("aria-hidden", "true");
  return canvas;
}

/** One face with its surroundings as a file, so that it can be enrolled alone. */
export async function fileOf(image, box, size, name) {
  const blob = await new Promise((resolve) => cut(image, box, size, 0.6).toBlob(resolve, "image/png"));
  return new File([blob], name, { type: "image/png" });
}
