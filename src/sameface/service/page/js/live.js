// The webcam or a video file, named while it runs. Frames go to the server one at a time and are not kept.

import { call, formOf, galleryPath } from "./api.js";
import { closeCamera, frameOf, openCamera } from "./camera.js";
import { fault, h, plural, say } from "./dom.js";
import { facesOf } from "./identify.js";
import { View } from "./photo.js";

const PAUSE = 150; // ms between an answer and the next frame

export async function live(main) {
  const video = h("video", { autoplay: true, playsinline: true, muted: true, "aria-label": "Camera or video" });
  video.muted = true;
  const view = new View(video, 620);
  const trouble = h("div");
  const log = h("ol", { class: "answers", "aria-label": "Seen" }, h("li", {}, h("p", {}, "Nobody yet.")));
  const button = h("button", { type: "button", class: "primary", onclick: () => (running ? stop() : start(camera)) }, "Start the camera");
  const file = h("input", { type: "file", accept: "video/*", class: "hidden", tabindex: -1, "aria-label": "Video file", onchange: () => {
    const [chosen] = file.files;
    file.value = "";
    if (chosen) { stop(); start(() => film(chosen)); }
  } });
  const open = h("button", { type: "button", onclick: () => file.click() }, "Open a video");
  let running = false;
  let release = () => {};
  let timer = null;
  const seen = new Map();
  main.append(
    h("h1", {}, "Live"),
    h("p", { class: "lead" }, "The camera of this device or a video file, with a name or “nobody” on every face. Nothing is recorded."),
    h("div", { class: "two" },
      h("div", { class: "card live" }, trouble, view.element, h("div", { class: "actions start" }, button, open, file)),
      h("section", { class: "card" }, h("h2", {}, "Seen"), log)),
  );

  async function camera() {
    const stream = await openCamera();
    video.srcObject = stream;
    return () => closeCamera(stream);
  }

  function film(chosen) {
    const url = URL.createObjectURL(chosen);
    video.src = url;
    return () => URL.revokeObjectURL(url);
  }

  async function start(source) {
    trouble.replaceChildren();
    running = true;
    button.textContent = "Stop";
    try {
      release = await source();
      await video.play().catch((error) => {
        throw error.name === "NotSupportedError" ? new Error("this browser cannot play that video; WebM and MP4 with H.264 are safe choices") : error;
      });
      if (!running) { stop(); return; } // stopped while it opened
      view.proportions(video.videoWidth, video.videoHeight);
      tick();
    } catch (error) {
      stop();
      trouble.replaceChildren(fault(error));
    }
  }

  function stop() {
    clearTimeout(timer);
    running = false;
    release();
    release = () => {};
    video.srcObject = null;
    video.removeAttribute("src");
    view.draw([], { width: 1, height: 1 });
    button.textContent = "Start the camera";
  }

  async function tick() {
    if (!running) return;
    if (video.ended) { stop(); return; }
    let pause = PAUSE;
    try {
      const frame = await frameOf(video, 800, 0.85);
      const answer = await call("POST", galleryPath("/identify"), await formOf({ candidates: 1 }, [["photo", frame]]));
      if (!running) return;
      view.draw(facesOf(answer), answer.size);
      note(answer);
      trouble.replaceChildren();
    } catch (error) {
      pause = 2000;
      trouble.replaceChildren(fault(error));
    }
    timer = setTimeout(tick, pause);
  }

  function note(answer) {
    const now = new Date().toLocaleTimeString();
    for (const face of answer.faces) {
      const name = face.name ?? "Nobody";
      const entry = seen.get(name);
      if (!entry && face.name) say(`${name} is here`);
      seen.set(name, { frames: (entry?.frames ?? 0) + 1, last: now, known: Boolean(face.name) });
    }
    if (seen.size) {
      log.replaceChildren(...[...seen].map(([name, entry]) => h("li", { "data-name": name },
        h("div", { class: "who" }, h("strong", {}, name), h("span", { class: `chip ${entry.known ? "same" : "other"}` }, entry.known ? "known" : "not known")),
        h("p", {}, `In ${plural(entry.frames, "frame")}, last at ${entry.last}.`))));
    }
  }

  return stop;
}
