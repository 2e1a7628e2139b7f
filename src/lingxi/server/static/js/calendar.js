// The days of the calendar by the keyboard: arrows move by a day or a week, Home and End within
// the week, Page Up and Page Down turn the page. Without this script every link is still there.

const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
const PAGES = { PageUp: "prev", PageDown: "next" };
const days = [...document.querySelectorAll(".calendar a.day")];

function find(at, key) {
  if (key === "Home") return at - (at % 7);
  if (key === "End") return at - (at % 7) + 6;
  return at + (STEPS[key] ?? NaN);
}

document.querySelector(".calendar").addEventListener("keydown", (event) => {
  const at = days.indexOf(event.target);
  if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
  const rel = PAGES[event.key];
  const day = days[find(at, event.key)];
  if (rel) document.querySelector(`a[rel="${rel}"]`).click();
  else if (day) day.focus();
  else return;
  event.preventDefault();
});
