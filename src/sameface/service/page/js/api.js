// The only file that talks to the server.

const KEY = "sameface-key";
let policyPromise = null;

export const state = { gallery: null, handedOver: null };
export const key = {
  get: () => sessionStorage.getItem(KEY) || "",
  set: (value) => { value ? sessionStorage.setItem(KEY, value) : sessionStorage.removeItem(KEY); policyPromise = null; },
};

/** An error that the server explains: title, expected, got, advice, reports. */
export class Problem extends Error {
  constructor(body, status) {
    super(body.detail || `the server answered ${status}`);
    Object.assign(this, body, { status });
  }
}

export async function call(method, path, body, signal) {
  const headers = {};
  if (key.get()) headers.Authorization = `Bearer ${key.get()}`;
  let payload;
  if (body instanceof FormData) payload = body;
  else if (body !== undefined) { payload = JSON.stringify(body); headers["Content-Type"] = "application/json"; }
  let response;
  try {
    response = await fetch(`v1/${path}`, { method, headers, body: payload, signal, credentials: "omit" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("the server cannot be reached");
  }
  if (response.ok) return response.json();
  const problem = (response.headers.get("content-type") || "").includes("json") ? await response.json() : {};
  if (response.status === 401) document.dispatchEvent(new CustomEvent("needs-key"));
  throw new Problem(problem, response.status);
}

export function policy() {
  policyPromise ??= call("GET", "policy").catch((error) => { policyPromise = null; throw error; });
  return policyPromise;
}

export function galleryPath(rest = "") {
  if (!state.gallery) throw new Error("there is no gallery yet: make one on the People page");
  return `galleries/${encodeURIComponent(state.gallery)}${rest}`;
}

/** A photo in a format and size that the server takes: as it is, or drawn again as JPEG. */
export async function prepared(file) {
  const caps = (await policy()).caps;
  const kinds = caps.formats.map((name) => `image/${name.toLowerCase()}`);
  if (kinds.includes(file.type) && file.size <= caps.max_photo) return file;
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return file; // not for this browser; the server says what is wrong
  }
  const share = Math.min(1, 4000 / Math.max(bitmap.width, bitmap.height));
  const canvas = Object.assign(document.createElement("canvas"), {
    width: Math.round(bitmap.width * share), height: Math.round(bitmap.height * share),
  });
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.93));
  return blob ? new File([blob], file.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" }) : file;
}

export async function formOf(fields, photos) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value !== null && value !== undefined && value !== "") form.append(name, value);
  for (const [name, file] of photos) form.append(name, await prepared(file));
  return form;
}
