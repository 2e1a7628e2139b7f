// Lingxi on a shop's pages. Options and calls: docs/snippet.md.
(() => {
  "use strict";
  const tag = document.currentScript;
  const early = window.lx;
  if (!tag || (early && early.version)) return;
  const VERSION = "1.0.0";
  const { key, host, consent, auto, cookieDomain } = tag.dataset;
  const address = (host || new URL(tag.src).origin).replace(/\/+$/, "") + "/v1/batch";
  const refused =
    navigator.globalPrivacyControl || navigator.doNotTrack === "1" || window.doNotTrack === "1";
  const MOST = 200; // messages kept until they are sent
  const BYTES = 50000; // of one request; browsers carry 64 kB past the end of a page

  // What outlives the page: the browser's own storage, or this object where there is none.
  const memory = {};
  function storage(work, otherwise) {
    try {
      return work(localStorage);
    } catch {
      return otherwise();
    }
  }
  const get = (name) => storage((s) => s.getItem(name), () => memory[name]) ?? null;
  const put = (name, text) => storage((s) => s.setItem(name, text), () => (memory[name] = text));
  const drop = (name) => storage((s) => s.removeItem(name), () => delete memory[name]);

  function makeId() {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // Who it is: an id of this browser, and the customer once the shop has named one.
  const readCookie = () => (/(?:^|; )lx_id=([\w-]+)/.exec(document.cookie) || [])[1];
  function putBrowser(id) {
    put("lx_id", id);
    if (cookieDomain)
      document.cookie = `lx_id=${id};domain=${cookieDomain};path=/;max-age=31536000;samesite=lax`;
    return id;
  }
  const whoIsIt = () => (cookieDomain && readCookie()) || get("lx_id") || putBrowser(makeId());
  function forget() {
    drop("lx_id");
    drop("lx_user");
    if (cookieDomain) document.cookie = `lx_id=;domain=${cookieDomain};path=/;max-age=0`;
  }

  // Whether anything may be kept or sent: true, false, or null while nobody has decided.
  let said = get("lx_consent");
  const allowed = () =>
    refused || said === "no" ? false : said === "yes" || consent !== "required" ? true : null;

  // Messages wait here until the server has them on disk; a copy survives the page.
  const own = `lx_q_${makeId()}`;
  let queue = [];
  let sending = false;
  let failures = 0;
  let timer = 0;
  let left = false; // whether the page is on its way out

  function keep() {
    if (allowed() !== true) return;
    if (queue.length) put(own, JSON.stringify(queue));
    else drop(own);
  }

  // What pages before this one left behind. Sent twice it still counts once: by its messageId.
  function adopt() {
    storage((s) => {
      for (const name of Object.keys(s)) {
        if (!name.startsWith("lx_q_") || name === own) continue;
        const left = s.getItem(name);
        s.removeItem(name);
        queue.push(...JSON.parse(left));
      }
    }, Boolean);
    queue = queue.slice(-MOST);
    keep();
  }

  function pack() {
    const batch = [];
    let size = 0;
    for (const message of queue) {
      size += JSON.stringify(message).length;
      if (batch.length && size > BYTES) break;
      batch.push(message);
    }
    return batch;
  }

  const write = (batch) =>
    JSON.stringify({ batch, writeKey: key, sentAt: new Date().toISOString() });

  function done(batch) {
    queue = queue.filter((message) => !batch.includes(message));
    keep();
  }

  function later(wait) {
    clearTimeout(timer);
    timer = setTimeout(send, wait);
  }

  async function send() {
    if (sending || !queue.length || allowed() === null) return;
    sending = true;
    const batch = pack();
    const body = write(batch);
    let wait = 0;
    try {
      // plain text: a browser need not ask beforehand; the server reads it all the same
      const headers = { "content-type": "text/plain" };
      const keepalive = body.length < 60000;
      const answer = await fetch(address, { method: "POST", body, headers, keepalive });
      if (answer.status === 429 || answer.status >= 500)
        wait = 1000 * (Number(answer.headers.get("retry-after")) || 0) || -1;
      else {
        if (!answer.ok) console.warn(`lx.js: ${answer.status} from ${address}; see its answer`);
        done(batch);
        failures = 0;
      }
    } catch {
      wait = -1;
    }
    if (wait) failures += 1;
    sending = false;
    if (wait < 0) wait = Math.min(60000, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
    if (queue.length) later(wait);
  }

  // The page may never come back: the rest goes in beacons, and stays in the copy until a later
  // page has heard that it arrived.
  function leave() {
    left = true;
    if (allowed() === null) return;
    const all = queue;
    while (queue.length) {
      const batch = pack();
      if (!navigator.sendBeacon(address, write(batch))) break;
      queue = queue.filter((message) => !batch.includes(message));
    }
    queue = all;
  }

  function describePage() {
    const asked = new URLSearchParams(location.search);
    const campaign = {};
    for (const name of ["source", "medium", "campaign", "term", "content"])
      if (asked.has(`utm_${name}`))
        campaign[name === "campaign" ? "name" : name] = asked.get(`utm_${name}`);
    const { origin, pathname } = location; // addresses may name people after the question mark
    const page = { path: pathname, url: origin + pathname, referrer: document.referrer.split("?")[0] };
    return {
      page,
      campaign,
      locale: navigator.language,
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      library: { name: "lx.js", version: VERSION },
    };
  }

  function tell(type, words) {
    if (allowed() === false) return;
    const message = { type, messageId: makeId(), timestamp: new Date().toISOString(), ...words };
    message.context = { ...describePage(), ...words.context };
    queue.push(message);
    queue = queue.slice(-MOST);
    if (allowed() === true) release();
  }

  // Only what may be sent gets the browser's id, for making one is keeping something.
  function release() {
    for (const message of queue) {
      if (message.anonymousId) continue;
      if (message.type === "identify" && message.userId) {
        const before = get("lx_user");
        if (before && before !== message.userId) putBrowser(makeId()); // somebody else sits here
        put("lx_user", message.userId);
      }
      message.anonymousId = whoIsIt();
      message.userId ??= get("lx_user") ?? undefined;
      if (message.type === "alias") message.previousId ??= message.anonymousId;
    }
    keep();
    if (left) leave();
    else if (!sending && !failures) later(200);
  }

  const track = (event, properties = {}) => tell("track", { event, properties });
  const say = (event) => (properties) => track(event, properties);

  const calls = {
    track,
    page: (name, properties = {}) => tell("page", { name, properties }),
    identify(userId, traits = {}) {
      if (typeof userId === "object") [userId, traits] = [undefined, userId || {}];
      tell("identify", { userId: userId === undefined ? undefined : String(userId), traits });
    },
    alias: (userId, previousId) => tell("alias", { userId: String(userId), previousId }),
    reset() {
      track("Logged Out");
      forget();
    },
    consent(choices, textVersion) {
      const every = { marketing: choices, personalisation: choices, analytics: choices };
      const purposes = typeof choices === "object" ? choices : every;
      const yes = Object.values(purposes).some(Boolean);
      if (refused) return;
      if (yes) said = "yes";
      if (allowed() !== true) queue = []; // refused before anything was sent
      else {
        const properties = { purposes, source: "lx.js", text_version: textVersion };
        track("Consent Preferences Updated", properties);
      }
      if (!yes) {
        queue = queue.slice(-1); // the withdrawal itself must still arrive
        drop(own);
        forget();
        said = "no";
      }
      put("lx_consent", said);
    },
    viewProduct: say("Product Viewed"),
    addToCart: say("Product Added"),
    removeFromCart: say("Product Removed"),
    viewCart: say("Cart Viewed"),
    search: (query, properties) => track("Products Searched", { query, ...properties }),
    startCheckout: say("Checkout Started"),
    order: say("Order Completed"),
  };

  const lx = { version: VERSION, push: (call) => lx[call[0]]?.(...call.slice(1)) };
  for (const [name, call] of Object.entries(calls))
    lx[name] = (...words) => {
      try {
        call(...words);
      } catch (error) {
        console.warn("lx.js:", error); // never the shop's problem
      }
    };
  window.lx = lx;
  if (!key) return console.warn("lx.js: the script tag needs data-key, the write key of a source");

  if (allowed() === true) adopt();
  addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => {
    left = document.visibilityState === "hidden";
    if (left) leave();
  });
  if (auto !== "false") {
    let shown = "";
    const look = () => {
      if (location.pathname + location.search === shown) return;
      shown = location.pathname + location.search;
      lx.page(document.title);
    };
    const { pushState } = history;
    history.pushState = function (...words) {
      pushState.apply(this, words);
      look();
    };
    addEventListener("popstate", look);
    addEventListener("pageshow", (event) => {
      left = false;
      if (event.persisted) lx.page(document.title);
    });
    look();
  }
  if (Array.isArray(early)) early.forEach(lx.push);
  if (queue.length) later(200);
})();
