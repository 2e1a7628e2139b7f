// node jitsu.mjs HOST KEY N: sends N messages with @jitsu/js, prints their ids. The client does not
// send again by itself; it takes a fetch of the shop's own, and this one does.
import { jitsuAnalytics } from "@jitsu/js";
import { makeMessages } from "./messages.mjs";

const [host, writeKey, n] = process.argv.slice(2);
const ids = [];
const failed = [];

async function persist(url, options) {
  ids.push(JSON.parse(options.body).messageId);
  for (let i = 0; i < 50; i += 1) {
    const answer = await fetch(url, options).catch(() => null);
    if (answer?.ok) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  failed.push(url);
  throw new Error("not sent");
}

const client = jitsuAnalytics({ host, writeKey: `${writeKey}:server`, fetch: persist });
for (const { call, message } of makeMessages("jitsu-js", Number(n))) {
  if (call === "identify") await client.identify(message.userId, message.traits);
  else if (call === "page") await client.page(message.name, message.properties);
  else await client.track(message.event, message.properties);
}
console.log(JSON.stringify({ ids, failed }));
process.exit(0);
