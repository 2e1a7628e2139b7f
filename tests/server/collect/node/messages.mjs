// What a small shop's server sends: sign-ups, views, baskets, orders.
const PRODUCT = { product_id: "MUG-1", name: "Mug", price: 9.5, quantity: 2, currency: "GBP" };

export function* makeMessages(tool, n) {
  for (let i = 0; i < n; i += 1) {
    const userId = `${tool}-u${i % 7}`;
    const messageId = `${tool}-${i}`;
    const kind = i % 10;
    if (kind === 0) {
      const traits = { email: `${userId}@example.com` };
      yield { call: "identify", message: { messageId, userId, traits } };
    } else if (kind === 1) {
      const properties = { path: "/mugs" };
      yield { call: "page", message: { messageId, userId, name: "Mugs", properties } };
    } else if (kind === 2) {
      const properties = {
        order_id: `${tool}-${i}`,
        currency: "GBP",
        total: 22,
        shipping: 3,
        products: [PRODUCT],
      };
      yield { call: "track", message: { messageId, userId, event: "Order Completed", properties } };
    } else {
      const event = kind < 6 ? "Product Viewed" : "Product Added";
      yield { call: "track", message: { messageId, userId, event, properties: PRODUCT } };
    }
  }
}
