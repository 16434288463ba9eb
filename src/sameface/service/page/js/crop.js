// The part of a photo that shows one face, cut in the browser.

import { h } from "./dom.js";

/** A canvas with the face in its middle. size: of the photo whose pixels the boxes count; around: margin, in faces; others: faces that are covered. */
function cut(image, box, size, around, side, others = []) {
  const scale = image.naturalWidth / size.width;
  const whole = Math.max(box.x2 - box.x1, box.y2 - box.y1) * (1 + 2 * around) * scale;
  const x = (box.x1 + box.x2) / 2 * scale - whole / 2, y = (box.y1 + box.y2) / 2 * scale - whole / 2;
  const canvas = h("canvas", { width: side ?? Math.round(whole), height: side ?? Math.round(whole) });
  const pen = canvas.getContext("2d");
  pen.setTransform(canvas.width / whole, 0, 0, canvas.height / whole, -x * canvas.width / whole, -y * canvas.height / whole);
  pen.drawImage(image, 0, 0);
  if (others.length) {
    pen.fillStyle = "#808080";
    for (const other of others) pen.fillRect(...inPixels(other, scale));
    const own = inPixels(box, scale);
    pen.drawImage(image, ...own, ...own); // where faces overlap, this one is whole
  }
  return canvas;
}

function inPixels(box, scale) { return [box.x1 * scale, box.y1 * scale, (box.x2 - box.x1) * scale, (box.y2 - box.y1) * scale]; }

/** A thumbnail of one face. */
export function thumbnail(image, box, size) {
  const canvas = cut(image, box, size, 0.35, 144);
  canvas.className = "crop";
  canvas.setAttribute("aria-hidden", "true");
  return canvas;
}

/** One face of a photo with its surroundings as a file of its own; the photo's other faces are covered. */
export async function fileOf(image, faces, place, size, name) {
  const others = faces.filter((_, index) => index !== place).map((face) => face.box);
  const blob = await new Promise((resolve) => cut(image, faces[place].box, size, 0.6, null, others).toBlob(resolve, "image/png"));
  return new File([blob], name, { type: "image/png" });
}
