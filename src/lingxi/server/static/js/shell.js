// What the frame does beyond HTML: the search shortcut, announcements after a list changed, and
// messages about requests that failed.

const toasts = document.getElementById("toasts");
const live = document.getElementById("live");
const search = document.querySelector("form[data-shortcut] input");

function isTyping(target) {
  return target.closest("input, select, textarea, [contenteditable]") !== null;
}

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.ctrlKey && !event.metaKey && !isTyping(event.target)) {
    event.preventDefault();
    search.focus();
  }
  if (event.key === "Escape" && event.target === search) {
    search.value = "";
    document.getElementById("found").replaceChildren();
    document.getElementById("main").focus();
  }
});

document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail?.ctx?.sourceElement?.hasAttribute("data-quiet")) return; // drawn anew by itself
  const news = document.querySelector("[data-announce]");
  if (news) live.textContent = news.textContent;
});

document.addEventListener("htmx:response:error", () => showToast(toasts.dataset.failed));
document.addEventListener("htmx:error", () => showToast(toasts.dataset.offline));

// A failure stays until it was read.
function showToast(text) {
  if ([...toasts.children].some((toast) => toast.dataset.text === text)) return;
  const toast = document.createElement("p");
  toast.className = "message tone-bad";
  toast.dataset.text = text;
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = toasts.dataset.close;
  close.addEventListener("click", () => toast.remove());
  toast.append(text, close);
  toasts.append(toast);
}

// <button data-opens="id"> opens a dialog that names what will happen before it does.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens).showModal();
  const closer = event.target.closest("[data-closes]");
  if (closer) closer.closest("dialog").close();
});

// <button data-copies="id" data-copied="Copied"> copies what stands in an element.
document.addEventListener("click", async (event) => {
  const copier = event.target.closest("[data-copies]");
  if (!copier) return;
  const source = document.getElementById(copier.dataset.copies);
  try {
    await navigator.clipboard.writeText(source.textContent);
    live.textContent = copier.dataset.copied;
    copier.textContent = copier.dataset.copied;
  } catch {
    getSelection().selectAllChildren(source); // no clipboard without TLS: the reader copies it
  }
});

// <div data-centres="selectors"> is wider than its place: it opens at the first of these in it.
for (const region of document.querySelectorAll("[data-centres]")) {
  const found = region.dataset.centres.split(", ").map((each) => region.querySelector(each));
  const mark = found.find(Boolean)?.getBoundingClientRect();
  const place = region.getBoundingClientRect();
  if (mark) region.scrollLeft += (mark.left + mark.right - place.left - place.right) / 2;
}

// <output for="id"> says where a slider stands.
document.addEventListener("input", (event) => {
  if (event.target.type !== "range") return;
  const says = document.querySelector(`output[for="${event.target.id}"]`);
  if (says) says.textContent = event.target.value;
});
