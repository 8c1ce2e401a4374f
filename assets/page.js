() => {
  /* What the page's own parts and the events of its tabs call. */
  let stopped = false;
  window.uncoverWork = (on, byHand = false) => {
    if (on || byHand) stopped = byHand;
    document.documentElement.toggleAttribute("data-work", on);
  };
  window.uncoverRefused = (name) => stopped || window.uncoverTell(name, "refused");
  window.uncoverTell = (name, word) => {
    const place = document.querySelector(`#${name} .pp`);
    if (place) place.dispatchEvent(new CustomEvent(word, { bubbles: true }));
  };
  window.uncoverSay = (words) => {
    document.querySelectorAll(".page-note").forEach((one) => one.remove());
    const note = document.createElement("div");
    note.className = "banner page-note";
    note.setAttribute("role", "alert");
    note.textContent = words;
    (document.querySelector(".contain") || document.body).append(note);
    setTimeout(() => note.remove(), 10000);
  };

  /* A photo may be dropped or pasted anywhere: it goes to the place of the open tab. */
  const input = () =>
    [...document.querySelectorAll(".pp-file")].find((one) => {
      const panel = one.closest("[role=tabpanel]");
      return !panel || panel.checkVisibility();
    });
  const accept = (files) => {
    const [photo] = [...files].filter((one) => one.type.startsWith("image/") || !one.type);
    const place = input();
    if (!photo || !place) return false;
    const carrier = new DataTransfer();
    carrier.items.add(photo);
    place.files = carrier.files;
    place.dispatchEvent(new Event("change", { bubbles: true }));
    return true;
  };
  const inEditor = (event) => event.target.closest && event.target.closest("#editor");
  document.addEventListener("dragover", (event) => {
    if (event.dataTransfer.types.includes("Files") && !inEditor(event)) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length || inEditor(event)) return;
    event.preventDefault();
    if (!accept(event.dataTransfer.files)) window.uncoverSay("That is no picture.");
  });
  document.addEventListener("paste", (event) => {
    if (accept(event.clipboardData.files)) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("#another") && input()) input().click();
  });

  /* Buttons have no line of help of their own: a few words on hover, and for screen readers. Looked
     for again and again, as a tab's buttons are made when the tab is first opened. */
  const help = {
    "#go": "Look for masks in the photo and paint a face under each",
    "#stop": "Give up on what is being worked on; the photo stays",
    "#save": "Save the picture with the painted faces to your device",
    "#another": "Choose another photo; this one stays until it is there",
    "#forget": "Take photo and result away from this page",
    "#own-look": "Let the network guess smile, mouth and beard again",
    "#save-trial": "Save truth, mask and guess side by side to your device",
    "#again": "Paint once more, with the masks as they are now corrected",
    "#off": "Paint a face under the drawn mask and compare it with the true one",
    "[aria-label='Fullscreen']": "Show this picture on the whole screen",
    "[aria-label='Exit fullscreen mode']": "Show the whole page again",
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
