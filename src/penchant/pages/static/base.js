// On every page: the theme button, and suggestions while somebody types into the search box.

import { ask, setTheme, settled, shownTheme, valuesOfPage } from "./shared.js";

function offerTheme() {
  const link = document.getElementById("theme");
  if (!link) return;
  const name = () => {
    link.textContent = shownTheme() === "dark" ? link.dataset.light : link.dataset.dark;
  };
  link.setAttribute("role", "button");
  link.addEventListener("click", (event) => {
    event.preventDefault();
    setTheme(shownTheme() === "dark" ? "light" : "dark");
    name();
  });
  link.addEventListener("keydown", (event) => {
    if (event.key !== " ") return;
    event.preventDefault();
    link.click();
  });
  name();
}

function offerSuggestions() {
  const input = document.getElementById("q");
  const list = document.getElementById("suggestions");
  const sides = valuesOfPage("sides");
  if (!input || !list || !sides) return;
  let latest = "";
  const look = async () => {
    const text = input.value.trim();
    if (!text || text === latest) return;
    latest = text;
    try {
      const { found } = await ask(`/suggest.json?${new URLSearchParams({ q: text })}`);
      if (latest === text) list.replaceChildren(...found.map((one) => option(one, sides[one.side])));
    } catch {
      // without suggestions the search still works
    }
  };
  input.addEventListener("input", settled(look));
}

function option(one, side) {
  const made = document.createElement("option");
  made.value = `${side} ${one.id}`;
  made.label = one.name === one.id ? made.value : `${made.value} · ${one.name}`;
  return made;
}

offerTheme();
offerSuggestions();
