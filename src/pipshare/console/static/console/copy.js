// Shows the copy buttons, which need a script; without one the field is there to be marked.
for (const button of document.querySelectorAll("button[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  const copied = () => { button.textContent = "Copied"; };
  button.hidden = false;
  button.addEventListener("click", () => {
    field.select();
    if (navigator.clipboard) navigator.clipboard.writeText(field.value).then(copied, () => {});
    else if (document.execCommand("copy")) copied();
  });
}
