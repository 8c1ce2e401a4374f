/* The place where a photo is added: chosen, dropped, pasted, taken, or one of the examples.

   Out: props.value = {path, name} of an uploaded file, {example: name}, or null; then the event
   "upload" or "clear". The photo is shown from the visitor's own device: nothing comes back for it.
   In: the element takes the DOM events "refused" (the photo could not be used) and "remove". */
const place = element.querySelector(".pp");
const find = (selector) => place.querySelector(selector);
const file = find(".pp-file");
const preview = find(".pp-preview");
const video = find(".pp-video");
let stream = null;
let turn = 0;

function state(name) {
  place.dataset.state = name;
  find(".pp-empty").hidden = name !== "empty";
  find(".pp-shoot").hidden = name !== "camera";
  video.hidden = name !== "camera";
  find("[data-way=remove]").hidden = name !== "ready";
  if (name === "empty" || name === "camera") show(null, "");
}

function show(address, words) {
  if (preview.src.startsWith("blob:")) URL.revokeObjectURL(preview.src);
  preview.hidden = !address;
  if (address) preview.src = address;
  else preview.removeAttribute("src");
  find(".pp-name").textContent = words;
}
preview.addEventListener("error", () => {
  if (preview.hasAttribute("src")) preview.hidden = true; /* a kind that browsers do not show */
});

function hand(value, event) {
  props.value = value;
  setTimeout(() => trigger(event), 0);
}

async function take(one) {
  const mine = ++turn;
  closeCamera();
  state("sending");
  show(URL.createObjectURL(one), one.name);
  try {
    const { path } = await upload(one);
    if (mine !== turn) return;
    state("ready");
    find(".pp-name").textContent = one.name;
    hand({ path, name: one.name, turn: mine }, "upload");
  } catch (error) {
    if (mine !== turn) return;
    state("empty");
    window.uncoverSay(`${one.name} did not arrive: is it larger than 60 MB? Otherwise try again.`);
  }
}

function remove() {
  turn++;
  closeCamera();
  file.value = "";
  state("empty");
  hand(null, "clear");
}

function closeCamera() {
  if (stream) stream.getTracks().forEach((track) => track.stop());
  stream = null;
  video.srcObject = null;
}

const troubles = {
  NotFoundError: "No camera was found.",
  NotReadableError: "The camera is in use by another program.",
  NotAllowedError: "The camera may not be used here.",
};
const ways = {
  file: () => file.click(),
  remove,
  close: () => (closeCamera(), state("empty")),
  async camera() {
    try {
      if (!navigator.mediaDevices) throw new DOMException("", "NotAllowedError");
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1920 } } });
      state("camera");
      video.srcObject = stream;
      await video.play();
    } catch (error) {
      closeCamera();
      state("empty");
      const words = troubles[error.name] || "This camera cannot be used.";
      window.uncoverSay(`${words} Choose or paste a photo instead.`);
    }
  },
  shoot() {
    if (!video.videoWidth) return;
    const still = document.createElement("canvas");
    [still.width, still.height] = [video.videoWidth, video.videoHeight];
    still.getContext("2d").drawImage(video, 0, 0);
    still.toBlob((blob) => take(new File([blob], "camera.jpg", { type: blob.type })), "image/jpeg", 0.95);
  },
  async paste() {
    try {
      for (const item of await navigator.clipboard.read()) {
        const kind = item.types.find((type) => type.startsWith("image/"));
        if (!kind) continue;
        const blob = await item.getType(kind);
        return take(new File([blob], `pasted.${kind.split("/")[1]}`, { type: kind }));
      }
      window.uncoverSay("No picture was copied: copy one, then paste it.");
    } catch (error) {
      window.uncoverSay("Press Ctrl and V to paste a picture here.");
    }
  },
};
place.addEventListener("click", (event) => {
  const way = event.target.closest("[data-way]");
  if (way) return ways[way.dataset.way]();
  const example = event.target.closest("[data-example]");
  if (example) {
    turn++;
    state("ready");
    show(example.querySelector("img").src, example.dataset.name);
    return hand({ example: example.dataset.example, turn }, "upload");
  }
  if (event.target.closest(".pp-drop") && place.dataset.state === "empty") file.click();
});
file.addEventListener("click", (event) => event.stopPropagation());
file.addEventListener("change", () => {
  const [photo] = file.files;
  file.value = ""; /* or else the same file, chosen again, is no change */
  if (photo) take(photo);
});
element.addEventListener("refused", () => {
  file.value = "";
  state("empty");
  props.value = null;
});
element.addEventListener("remove", remove);
state("empty");
