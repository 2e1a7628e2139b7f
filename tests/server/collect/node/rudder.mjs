// node rudder.mjs HOST KEY N: sends N messages with @rudderstack/rudder-sdk-node, prints their ids.
import Rudder from "@rudderstack/rudder-sdk-node";
import { makeMessages } from "./messages.mjs";

const [host, writeKey, n] = process.argv.slice(2);
const options = { dataPlaneUrl: host, flushAt: 5, flushInterval: 100, retryCount: 30 };
const client = new Rudder(writeKey, options);
const ids = [];
const answers = [];
for (const { call, message } of makeMessages("rudder-node", Number(n))) {
  ids.push(message.messageId);
  answers.push(
    new Promise((resolve) => client[call](message, (error) => resolve(error ? String(error) : ""))),
  );
}
const flushed = new Promise((resolve) => client.flush(() => resolve()));
const failed = (await Promise.all(answers)).filter(Boolean);
await Promise.race([flushed, new Promise((resolve) => setTimeout(resolve, 2000))]);
console.log(JSON.stringify({ ids, failed }));
process.exit(0);
