// node segment.mjs HOST KEY N: sends N messages with @segment/analytics-node, prints their ids.
import { Analytics } from "@segment/analytics-node";
import { makeMessages } from "./messages.mjs";

const [host, writeKey, n] = process.argv.slice(2);
const client = new Analytics({ writeKey, host, flushAt: 5, flushInterval: 100, maxRetries: 30 });
const failed = [];
client.on("error", (error) => failed.push(String(error.reason ?? error)));
const ids = [];
for (const { call, message } of makeMessages("segment-node", Number(n))) {
  ids.push(message.messageId);
  client[call](message);
}
await client.closeAndFlush({ timeout: 120000 });
console.log(JSON.stringify({ ids, failed }));
