() => {
  /* A word where the camera cannot be had; gradio says nothing then. */
  const camera = {
    NotFoundError: "No camera was found.",
    NotReadableError: "The camera is in use by another program.",
    OverconstrainedError: "This camera cannot be used.",
  };
  window.addEventListener("unhandledrejection", (event) => {
    const words = event.reason instanceof DOMException && camera[event.reason.name];
    if (!words) return;
    event.preventDefault();
    const note = document.createElement("div");
    note.className = "banner camera-note";
    note.setAttribute("role", "alert");
    note.textContent = `${words} Upload or paste a photo instead.`;
    (document.querySelector(".contain") || document.body).append(note);
    setTimeout(() => note.remove(), 10000);
  });

  /* Buttons have no line of help of their own: a few words on hover, and for screen readers. */
  const help = {
    "#go": "Paint a face under every mask that is marked",
    "#stop": "Give up on what is being worked on; the photo stays",
    "#save": "Save the picture with the painted faces to your device",
    "#again": "Paint once more, with the masks as they are now corrected",
    "#off": "Paint under the drawn mask and compare with your face",
    ".example": "Try the page with a portrait in the public domain",
  };
  const describe = () => {
    for (const [where, words] of Object.entries(help))
      for (const button of document.querySelectorAll(`button${where}, ${where} button`))
        if (button.title !== words) button.title = words;
  };
  new MutationObserver(describe).observe(document.body, { childList: true, subtree: true });
  describe();
}
