// The model page: the threshold moves, and the trade-off follows.

import { valuesOfPage, wordsOfPage } from "./shared.js";

const curve = valuesOfPage("curve");
const slide = document.getElementById("threshold-slide");
const typed = document.getElementById("threshold");
const said = document.getElementById("trade-off-said");
const guide = document.querySelector("#trade-off .guide");

const percent = (share) => `${Math.round(100 * share)}\u202f%`;

/** The figures at a threshold: of the last edge that is not beyond it; nothing is shown before the first. */
function at(threshold) {
  let place = -1;
  while (place + 1 < curve.threshold.length && curve.threshold[place + 1] <= threshold) place += 1;
  if (place < 0) return { found: 0, right: 1, shown: 0 };
  return { found: curve.recall[place], right: curve.precision[place], shown: curve.shown[place] };
}

function follow(threshold) {
  const text = wordsOfPage();
  const here = at(threshold);
  said.textContent = text(
    "At {t}: {found} of what is liked is shown, and {right} of what is shown is liked; {shown} of all pairs are shown.",
    { t: threshold.toFixed(3), found: percent(here.found), right: percent(here.right), shown: percent(here.shown) },
  );
  const { low, high, width } = guide.dataset;
  const x = (Number(width) * (threshold - Number(low))) / (Number(high) - Number(low));
  guide.setAttribute("x1", x.toFixed(1));
  guide.setAttribute("x2", x.toFixed(1));
}

if (curve && slide && guide) {
  slide.hidden = false;
  slide.addEventListener("input", () => {
    typed.value = slide.value;
    follow(Number(slide.value));
  });
  typed.addEventListener("input", () => {
    if (!typed.checkValidity() || typed.value === "") return;
    slide.value = typed.value;
    follow(Number(typed.value));
  });
  document.getElementById("threshold-form").addEventListener("submit", (event) => event.preventDefault());
}
