/* Copy buttons: <button data-copy> takes the text of the next element. */
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = button.nextElementSibling;
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
  } catch {
    // Without https a browser keeps its clipboard closed: select the text instead.
    getSelection().selectAllChildren(source);
    button.textContent = "Selected";
  }
});
