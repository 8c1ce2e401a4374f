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

  /* Buttons have no line of help of their own: a few words on hover, and for screen readers. Looked
     for again and again, as a tab's buttons are made when the tab is first opened. */
  const help = {
    "#go": "Look for masks in the photo again and paint a face under each",
    "#stop": "Give up on what is being worked on; the photo stays",
    "#save": "Save the picture with the painted faces to your device",
    "#again": "Paint once more, with the masks as they are now corrected",
    "#off": "Paint a face under the drawn mask and compare it with the true one",
    ".example": "Try the page with a portrait in the public domain",
    ".upload-container": "Drop a photo here, or choose one on your device",
    "[aria-label='Remove Image']": "Take this photo away again",
    "[aria-label='Upload file']": "Choose a photo on your device",
    "[aria-label='Capture from camera']": "Take a photo with your camera",
    "[aria-label='Paste from clipboard']": "Paste a photo that you copied",
    "[aria-label='Fullscreen']": "Show this picture on the whole screen",
    "[aria-label='Exit fullscreen mode']": "Show the whole page again",
    "[aria-label='Undo']": "Move the divider back to the middle",
    "[aria-label='Reset to default value']": "Back to the value at the start",
    ".color-picker .swatch": "Close the choice of colours",
    ".color-picker .eyedropper": "Take a colour from the screen",
    ".color-picker input": "The colour as text, such as #8fbfdc",
    ".thumbnail-item": "Enlarge this picture",
    ".show-api": "How to call this page from a program",
    ".settings": "Language and colours of this page",
    "#correct > .label-wrap": "Show or hide the tools to repaint a mask",
    ".label-wrap": "Show or hide this part of the page",
  };
  const tabs = {
    "Uncover": "Take the mask off a photo",
    "Try it on yourself": "Put a mask on a bare face, take it off and compare",
    "How good is it?": "How well it works, and for whom",
    "About these weights": "Which networks paint, and what they may be used for",
  };
  const say = (one, words) => one.title === words || (one.title = words);
  const describe = () => {
    const said = new Set();
    for (const [where, words] of Object.entries(help))
      for (const one of document.querySelectorAll(where)) {
        if (!said.has(one)) say(one, words);
        said.add(one);
      }
    for (const tab of document.querySelectorAll("button[role=tab]"))
      if (tab.innerText.trim() in tabs) say(tab, tabs[tab.innerText.trim()]);
    for (const one of document.querySelectorAll("button.label-wrap")) {
      const open = String(one.classList.contains("open"));
      if (one.getAttribute("aria-expanded") !== open) one.setAttribute("aria-expanded", open);
    }
  };
  describe();
  setInterval(describe, 500);
}
