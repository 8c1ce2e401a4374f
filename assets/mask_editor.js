/* Mask editor: shows each face with its mask, lets people repaint it, and hands the masks back.

   In:  props.value = {token, regions: [{title, width, height, on, whole, image, mask}]}, data URLs.
   Out: props.value = {token, regions: [{on, mask}]}; mask is null while it is as it was found. */
const find = (selector) => element.querySelector(selector);
const canvas = find(".me-canvas");
const pen = canvas.getContext("2d", { willReadFrequently: true });
let token = null;
let regions = [];
let current = 0;
let tool = "paint";
let last = null;
let cursor = null;
let drawing = false;
let loads = 0;
let zoom = 1;

async function load(value) {
  const turn = ++loads;
  const fresh = [];
  for (const given of (value && value.regions) || []) {
    const [image, mask] = await Promise.all([loadImage(given.image), loadImage(given.mask)]);
    const bits = bitsOf(mask, given.width, given.height);
    const found = bits.slice();
    fresh.push({ ...given, picture: image, bits, found, past: [], future: [], edited: false });
  }
  if (turn !== loads) return;
  token = value ? value.token : null;
  regions = fresh;
  current = 0;
  cursor = null;
  find(".me-empty").hidden = regions.length > 0;
  find(".me-work").hidden = regions.length === 0;
  showFaces();
  if (regions.length) {
    choose(0);
    send();
  }
}

function showFaces() {
  const bar = find(".me-faces");
  bar.replaceChildren();
  regions.forEach((region, index) => {
    const button = document.createElement("button");
    const picture = document.createElement("img");
    picture.src = region.image;
    picture.alt = "";
    const words = document.createElement("span");
    const name = document.createElement("span");
    const [who, ...rest] = region.title.split(":");
    name.className = "me-name";
    name.textContent = who;
    words.append(name, rest.length ? `:${rest.join(":")}` : "");
    button.type = "button";
    button.title = "Show this view to correct its mask";
    button.append(picture, words);
    button.addEventListener("click", () => choose(index));
    bar.append(button);
  });
}

function choose(index) {
  current = index;
  cursor = null;
  const region = regions[index];
  canvas.width = region.width;
  canvas.height = region.height;
  canvas.setAttribute(
    "aria-label",
    `${region.title}. The pink area will be painted over. Arrow keys move the brush, space uses it.`
  );
  [...find(".me-faces").children].forEach((button, i) => {
    button.setAttribute("aria-pressed", String(i === index));
    button.classList.toggle("me-struck", !regions[i].on);
  });
  find(".me-not").hidden = region.whole;
  find(".me-off").checked = !region.on;
  zoomTo(1);
}

function zoomTo(next) {
  zoom = Math.min(6, Math.max(1, next));
  canvas.style.width = `${100 * zoom}%`;
  find("[data-act=out]").disabled = zoom === 1;
  draw();
}

function draw() {
  const region = regions[current];
  if (!region) return;
  pen.drawImage(region.picture, 0, 0, region.width, region.height);
  const shown = pen.getImageData(0, 0, region.width, region.height);
  const data = shown.data;
  for (let i = 0; i < region.bits.length; i++) {
    if (!region.bits[i]) continue;
    data[4 * i] = 0.45 * data[4 * i] + 0.55 * 255;
    data[4 * i + 1] *= 0.45;
    data[4 * i + 2] = 0.45 * data[4 * i + 2] + 0.55 * 140;
  }
  pen.putImageData(shown, 0, 0);
  if (cursor) {
    const fine = canvas.width / Math.max(1, canvas.clientWidth);
    for (const [colour, width] of [["#000", 4], ["#fff", 2]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = width * fine;
      pen.beginPath();
      pen.arc(cursor[0], cursor[1], radius(), 0, 7);
      pen.stroke();
    }
  }
  find("[data-act=undo]").disabled = !region.past.length;
  find("[data-act=redo]").disabled = !region.future.length;
  canvas.style.opacity = region.on ? 1 : 0.5;
  const share = (100 * region.bits.reduce((a, b) => a + b, 0)) / region.bits.length;
  find(".me-note").textContent = !region.on
    ? "This face will be left as it is."
    : share === 0
      ? "Nothing is marked here: paint over the mask."
      : `Pink is what will be painted over: ${share.toFixed(0)} % of this view.`;
}

const radius = () => (Number(find(".me-size").value) / 2) * (canvas.width / 384);

/* Who paints on a face that was left out wants it filled. */
function takeIn() {
  const region = regions[current];
  if (region.on) return;
  region.on = true;
  find(".me-off").checked = false;
  find(".me-faces").children[current].classList.remove("me-struck");
}

function remember() {
  const region = regions[current];
  region.past.push(region.bits.slice());
  region.future = [];
  if (region.past.length > 20) region.past.shift();
}

function dab(x, y) {
  const region = regions[current];
  const r = Math.max(1, radius());
  const [top, bottom] = [Math.max(0, Math.ceil(y - r)), Math.min(region.height - 1, y + r)];
  for (let row = top; row <= bottom; row++) {
    const half = Math.sqrt(r * r - (row - y) * (row - y));
    const from = Math.max(0, Math.ceil(x - half));
    const to = Math.min(region.width - 1, Math.floor(x + half));
    if (to >= from) region.bits.fill(tool === "paint" ? 1 : 0, row * region.width + from, row * region.width + to + 1);
  }
}

function stroke(from, to) {
  const steps = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / 2));
  for (let i = 0; i <= steps; i++) {
    dab(from[0] + ((to[0] - from[0]) * i) / steps, from[1] + ((to[1] - from[1]) * i) / steps);
  }
}

function changed() {
  regions[current].edited = true;
  draw();
  send();
}

function send() {
  const pack = (region) => (region.edited ? maskPicture(region).toDataURL("image/png") : null);
  for (const region of regions) {
    if (region.sent !== region.bits || region === regions[current]) region.packed = pack(region);
    region.sent = region.bits;
  }
  const answer = regions.map((region) => ({ on: region.on, mask: region.packed }));
  props.value = { token, regions: answer };
}

const place = (event) => {
  const box = canvas.getBoundingClientRect();
  return [
    ((event.clientX - box.left) / box.width) * canvas.width,
    ((event.clientY - box.top) / box.height) * canvas.height,
  ];
};

canvas.addEventListener("pointerdown", (event) => {
  if (!regions.length || event.button > 0) return;
  event.preventDefault();
  canvas.focus();
  canvas.setPointerCapture(event.pointerId);
  takeIn();
  remember();
  drawing = true;
  last = cursor = place(event);
  stroke(last, last);
  draw();
});
canvas.addEventListener("pointermove", (event) => {
  const here = place(event);
  if (drawing) stroke(last, here);
  last = cursor = here;
  draw();
});
canvas.addEventListener("pointerleave", () => {
  if (drawing) return;
  cursor = null;
  draw();
});
const lift = () => {
  if (!drawing) return;
  drawing = false;
  cursor = null;
  changed();
};
canvas.addEventListener("pointerup", lift);
canvas.addEventListener("pointercancel", lift);
canvas.addEventListener("blur", () => {
  cursor = null;
  draw();
});
find(".me-work").addEventListener("keydown", (event) => {
  const command = event.ctrlKey || event.metaKey;
  const key = event.key.toLowerCase();
  if (command && key === "z") act(event.shiftKey ? "redo" : "undo");
  else if (command && key === "y") act("redo");
  else if (key === "[" || key === "]") {
    const size = find(".me-size");
    size.value = Number(size.value) + (key === "]" ? 4 : -4);
    draw();
  } else return;
  event.preventDefault();
});
canvas.addEventListener("keydown", (event) => {
  const step = Math.max(2, radius());
  const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!move && event.key !== " ") return;
  event.preventDefault();
  cursor = cursor || [canvas.width / 2, canvas.height * 0.6];
  if (move) {
    cursor = [
      Math.min(canvas.width, Math.max(0, cursor[0] + move[0] * step)),
      Math.min(canvas.height, Math.max(0, cursor[1] + move[1] * step)),
    ];
    draw();
  } else {
    takeIn();
    remember();
    stroke(cursor, cursor);
    changed();
  }
});

element.querySelectorAll("[data-tool]").forEach((button) =>
  button.addEventListener("click", () => {
    tool = button.dataset.tool;
    element.querySelectorAll("[data-tool]").forEach((other) =>
      other.setAttribute("aria-pressed", String(other === button))
    );
  })
);
function act(name) {
  const region = regions[current];
  if (!region) return;
  const back = { undo: ["past", "future"], redo: ["future", "past"] }[name];
  if (back) {
    const [from, to] = back;
    if (!region[from].length) return;
    region[to].push(region.bits);
    region.bits = region[from].pop();
    return changed();
  }
  if (name === "in" || name === "out") return zoomTo(name === "in" ? zoom * 1.5 : zoom / 1.5);
  if (name === "load") return find(".me-file").click();
  if (name === "save") {
    const link = document.createElement("a");
    [link.href, link.download] = [maskPicture(region).toDataURL("image/png"), "mask.png"];
    return link.click();
  }
  remember();
  if (name === "reset") {
    region.bits = region.found.slice();
    region.edited = false;
    draw();
    return send();
  }
  const reach = Math.max(1, Math.round(region.width / 96));
  region.bits = widen(region.bits, region.width, region.height, reach, name === "grow" ? 1 : 0);
  changed();
}

element.querySelectorAll("[data-act]").forEach((button) =>
  button.addEventListener("click", () => act(button.dataset.act))
);
find(".me-file").addEventListener("change", async (event) => {
  const region = regions[current];
  const [file] = event.target.files;
  if (!file || !region) return;
  const address = URL.createObjectURL(file);
  try {
    const picture = await loadImage(address);
    const ratio = picture.width / picture.height / (region.width / region.height);
    if (ratio < 0.97 || ratio > 1.03) throw new Error("shape");
    remember();
    region.bits = bitsOf(picture, region.width, region.height);
    changed();
  } catch (error) {
    find(".me-note").textContent =
      error.message === "shape"
        ? "This mask has another shape than the view: save one here first, and change that."
        : "This file is no picture.";
  }
  URL.revokeObjectURL(address);
  event.target.value = "";
});
find(".me-size").addEventListener("input", () => {
  cursor = [canvas.width / 2, canvas.height / 2]; /* shows how wide it is */
  draw();
});
find(".me-off").addEventListener("change", (event) => {
  regions[current].on = !event.target.checked;
  choose(current);
  send();
});

watch("value", () => {
  const value = props.value;
  if (!value || !value.regions) load(null);
  else if (value.regions.some((region) => region.image)) load(value);
});
if (props.value && props.value.regions) load(props.value);
