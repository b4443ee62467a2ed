/* The deleted run counts down to its end, and then its row goes away. */
setInterval(() => {
  for (const words of document.querySelectorAll("[data-erased-at]")) {
    const left = Math.ceil((Number(words.dataset.erasedAt) - Date.now()) / 1000);
    words.textContent = left > 0
      ? letheSay("It can be brought back for {left} s; then it is erased, with its texts.", { left })
      : letheSay("It is erased, with its texts.");
    const button = words.closest(".run-undo")?.querySelector("button");
    if (button) button.disabled = left <= 0;
  }
}, 1000);
