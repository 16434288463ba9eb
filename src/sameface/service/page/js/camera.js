// The webcam: one photo by a dialog, or a running stream.

const WANTED = { video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 } }, audio: false };

export async function openCamera() {
  if (!navigator.mediaDevices) throw new Error("this browser gives the camera only to pages on this machine or under https");
  try {
    return await navigator.mediaDevices.getUserMedia(WANTED);
  } catch (error) {
    const reasons = { NotAllowedError: "the browser was not allowed to use the camera", NotFoundError: "no camera was found" };
    throw new Error(reasons[error.name] || `the camera did not start (${error.name})`);
  }
}

export function closeCamera(stream) { stream?.getTracks().forEach((track) => track.stop()); }

export async function frameOf(video, longest = 1280, quality = 0.92) {
  const share = Math.min(1, longest / Math.max(video.videoWidth, video.videoHeight));
  const canvas = Object.assign(document.createElement("canvas"), {
    width: Math.round(video.videoWidth * share), height: Math.round(video.videoHeight * share),
  });
  canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
  return new File([blob], "camera.jpg", { type: "image/jpeg" });
}

/** A photo from the dialog, or null when it was cancelled. */
export function shoot() {
  const dialog = document.getElementById("camera-dialog");
  const video = document.getElementById("camera-video");
  const trouble = document.getElementById("camera-fault");
  const take = document.getElementById("camera-shoot");
  const cancel = document.getElementById("camera-close");
  trouble.hidden = true;
  take.disabled = true;
  dialog.showModal();
  return new Promise((resolve) => {
    let stream = null;
    let photo = null;
    const end = () => { closeCamera(stream); video.srcObject = null; take.onclick = cancel.onclick = null; resolve(photo); };
    dialog.addEventListener("close", end, { once: true });
    cancel.onclick = () => dialog.close();
    take.onclick = async () => { photo = await frameOf(video); dialog.close(); };
    openCamera().then((opened) => {
      if (!dialog.open) { closeCamera(opened); return; }
      stream = opened;
      video.srcObject = opened;
      video.onloadedmetadata = () => { take.disabled = false; take.focus(); };
    }).catch((error) => { trouble.textContent = error.message; trouble.hidden = false; });
  });
}
