/* Sentences in the language of the page: dashboard/language.py puts its words into the head. */
window.letheSay = (text, values = {}) => {
  const words = window.letheWords || {};
  return (words[text] || text).replace(/\{(\w+)\}/g, (slot, name) => (name in values ? values[name] : slot));
};

/* Copy buttons: <button data-copy> takes the text of the next element. */
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = button.nextElementSibling;
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = letheSay("Copied");
  } catch {
    // Without https a browser keeps its clipboard closed: select the text instead.
    getSelection().selectAllChildren(source);
    button.textContent = letheSay("Selected");
  }
});
