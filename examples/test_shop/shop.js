// The basket of the example shop, kept for as long as the tab is open. Nothing here is Lingxi's.
const MUGS = [
  { product_id: "MUG-1", name: "Blue mug", price: 9.5, quantity: 1, currency: "GBP" },
  { product_id: "MUG-2", name: "Red mug", price: 12, quantity: 1, currency: "GBP" },
];

const on = (id, event, work) => document.getElementById(id)?.addEventListener(event, work);
const findMug = (id) => MUGS.find((mug) => mug.product_id === id);
const readBasket = () => JSON.parse(sessionStorage.getItem("basket") ?? "[]").map(findMug);
const writeBasket = (mugs) =>
  sessionStorage.setItem("basket", JSON.stringify(mugs.map((mug) => mug.product_id)));
const sum = (mugs) => mugs.reduce((total, mug) => total + mug.price, 0);
