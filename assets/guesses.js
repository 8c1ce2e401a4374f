/* Other guesses of each face: pictures to compare, to take, and to download.

   In:  props.value = {token, items: [{picture, caption, face, guess}]}; guess null is the map of
        where they differ; null hides all.
   Out: props.value.pick = {face, guess}, then the event "select" or "download". */
const root = element.querySelector(".gb");
const grid = root.querySelector(".gb-grid");
let value = null;
let taken = new Map();

function button(words, title, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = words;
  made.title = title;
  made.addEventListener("click", act);
  return made;
}

function hand(item, event) {
  value = { token: value.token, items: [], pick: { face: item.face, guess: item.guess } };
  props.value = value;
  setTimeout(() => trigger(event), 0);
}

function load(given) {
  if (given && given.pick) return; /* our own words, come back */
  value = given;
  root.hidden = !given;
  taken = new Map();
  grid.replaceChildren();
  for (const item of (given && given.items) || []) {
    const card = document.createElement("figure");
    const picture = document.createElement("img");
    const words = document.createElement("figcaption");
    card.className = "gb-card";
    picture.src = item.picture;
    picture.alt = item.caption;
    words.textContent = item.caption;
    card.append(picture, words);
    if (item.guess !== null) {
      const use = button("Use this one", "Paint this guess into the photo", () => {
        taken.set(item.face, item.guess);
        mark();
        hand(item, "select");
      });
      card.dataset.face = item.face;
      card.dataset.guess = item.guess;
      card.append(use, button("Download", "Save the photo with this guess", () => hand(item, "download")));
    }
    grid.append(card);
  }
  const first = grid.querySelectorAll("[data-face='0']").length;
  grid.style.setProperty("--gb-columns", first + 1);
  mark();
}

function mark() {
  for (const card of grid.querySelectorAll("[data-guess]")) {
    const used = (taken.get(Number(card.dataset.face)) || 0) === Number(card.dataset.guess);
    card.classList.toggle("gb-used", used);
    const use = card.querySelector("button");
    use.disabled = used;
    use.textContent = used ? "In use" : "Use this one";
  }
}

watch("value", () => load(props.value));
load(props.value);
