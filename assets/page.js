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
}
