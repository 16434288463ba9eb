// One dialog for every question: yes or no, or a line of text. Escape and Cancel both mean no.

export function ask({ title, text, yes, danger = false, field = null, value = "" }) {
  const dialog = document.getElementById("ask-dialog");
  const input = document.getElementById("ask-input");
  const label = document.getElementById("ask-field");
  const button = document.getElementById("ask-yes");
  document.getElementById("ask-title").textContent = title;
  document.getElementById("ask-text").textContent = text;
  button.textContent = yes;
  button.className = danger ? "danger" : "primary";
  label.hidden = field === null;
  label.firstElementChild.textContent = field ?? "";
  input.value = value;
  dialog.returnValue = "cancel";
  const before = document.activeElement;
  dialog.showModal();
  if (field !== null) input.select();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      before?.focus?.();
      const agreed = dialog.returnValue === "ok";
      resolve(field === null ? agreed : agreed ? input.value.trim() : null);
    }, { once: true });
  });
}
