// What a visitor does in the small shop, told by whichever client the page has.
const MUG = { product_id: "MUG-1", name: "Mug", price: 9.5, quantity: 2, currency: "GBP" };

export async function goShopping(n, tell) {
  if (n < 0) return;
  await tell("page", "Mugs");
  await tell("identify", "ada", { email: "ada@example.com" });
  for (let i = 0; i < n; i += 1) {
    await tell("track", i % 2 ? "Product Added" : "Product Viewed", MUG);
  }
  await tell("track", "Order Completed", {
    order_id: "A-1",
    currency: "GBP",
    total: 22,
    shipping: 3,
    products: [MUG],
  });
}
