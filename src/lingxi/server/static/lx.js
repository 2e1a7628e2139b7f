// Lingxi on a shop's pages: docs/snippet.md
(() => {
  "use strict";
  const tag = document.currentScript || document.querySelector("script[data-key]");
  const early = window.lx;
  if (!tag || (early && early.version)) return;
  const VERSION = "1.0.0";
  const { key, host, consent, auto, cookieDomain } = tag.dataset;
  const address = (host || new URL(tag.src).origin).replace(/\/+$/, "") + "/v1/batch";
  const refused = navigator.globalPrivacyControl || navigator.doNotTrack === "1";
  const MOST = 200; // messages kept until they are sent
  const KEPT = 500000;
  const LARGEST = 32000; // bytes of one message, as the server has it
  const BYTES = 50000; // of one request; browsers carry 64 kB past the end of a page
  const weigh = (text) => new Blob([text]).size;

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

  // Who it is: this browser, and the customer once named.
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
  function allowed() {
    const said = refused ? "no" : get("lx_consent"); // another tab may have asked
    return said === "no" ? false : said || consent !== "required" ? true : null;
  }

  // Messages wait here until the server has them on disk; a copy survives the page.
  const copies = `lx_q_${key}_`;
  const own = copies + makeId();
  let queue = [];
  let sending = false;
  let failures = 0;
  let timer = 0;
  let left = false; // the page is going

  function keep() {
    let text = JSON.stringify((queue = queue.slice(-MOST)));
    for (; text.length > KEPT; text = JSON.stringify(queue)) queue.shift();
    if (allowed() === null) return;
    if (queue.length) put(own, text);
    else drop(own);
  }

  // What earlier pages left. Sent twice it still counts once: by its messageId.
  function adopt() {
    const found = [];
    storage((s) => {
      for (const name of Object.keys(s)) {
        if (!name.startsWith(copies) || name === own) continue;
        const text = s.getItem(name);
        s.removeItem(name);
        found.push(...JSON.parse(text));
      }
    }, Boolean);
    return found;
  }

  function pack(messages) {
    const batch = [];
    let size = 0;
    for (const message of messages) {
      size += weigh(JSON.stringify(message)) + 1;
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
    const batch = pack(queue);
    const body = write(batch);
    let wait = 0;
    try {
      // plain text: no preflight
      const headers = { "content-type": "text/plain" };
      const signal = AbortSignal.timeout?.(30000);
      const options = { method: "POST", body, headers, keepalive: true, signal };
      const answer = await fetch(address, options);
      await answer.text(); // unread it counts against the 64 kB
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
    if (queue.length) later(Math.min(wait, 3600000));
  }

  // The rest goes in beacons, and stays in the copy until a later page has heard that it arrived.
  function leave() {
    left = true;
    if (allowed() === null) return;
    for (let rest = queue; rest.length; ) {
      const batch = pack(rest);
      if (!navigator.sendBeacon(address, write(batch))) break;
      rest = rest.slice(batch.length);
    }
  }

  function describePage() {
    const asked = new URLSearchParams(location.search);
    const campaign = {};
    for (const [name, text] of asked)
      if (name.startsWith("utm_")) campaign[name === "utm_campaign" ? "name" : name.slice(4)] = text;
    const { origin, pathname } = location; // addresses may name people after the question mark
    const referrer = document.referrer.split("?")[0];
    return {
      page: { path: pathname, url: origin + pathname, title: document.title, referrer },
      campaign,
      locale: navigator.language,
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      library: { name: "lx.js", version: VERSION },
    };
  }

  function tell(type, words) {
    if (allowed() === false) return;
    const context = describePage();
    const timestamp = new Date().toISOString();
    const text = JSON.stringify({ type, messageId: makeId(), timestamp, context, ...words });
    if (weigh(text) > LARGEST) throw Error(`more than ${LARGEST} bytes in one ${type}`);
    queue.push(JSON.parse(text)); // as it is now
    if (allowed()) release();
    else keep();
  }

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
      if (message.event === "Logged Out") forget();
    }
    keep();
    if (left) leave();
    if (!sending && !failures) later(200);
  }

  const track = (event, properties = {}) => tell("track", { event, properties });
  const say = (event) => (properties) => track(event, properties);

  const calls = {
    track,
    page: (name, properties = {}) => tell("page", { name, properties }),
    identify(userId, traits = {}) {
      if (userId && typeof userId === "object") [userId, traits] = ["", userId];
      tell("identify", { userId: String(userId ?? "") || undefined, traits });
    },
    alias: (userId, previousId) => tell("alias", { userId: String(userId), previousId }),
    reset: () => track("Logged Out"),
    consent(choices, textVersion) {
      const every = { marketing: choices, personalisation: choices, analytics: choices };
      const purposes = typeof choices === "object" ? choices : every;
      const yes = Object.values(purposes).some(Boolean);
      const before = allowed();
      if (refused || (!yes && before === false)) return;
      if (yes) put("lx_consent", "yes");
      if (allowed()) {
        const properties = { purposes, source: "lx.js", text_version: textVersion };
        track("Consent Preferences Updated", properties);
      }
      if (yes) return;
      adopt(); // and drop
      forget();
      queue = before ? queue.slice(-1) : []; // the withdrawal itself must still arrive
      put("lx_consent", "no");
      keep();
    },
    viewProduct: say("Product Viewed"),
    addToCart: say("Product Added"),
    removeFromCart: say("Product Removed"),
    viewCart: say("Cart Viewed"),
    search: (query, properties) => track("Products Searched", { query, ...properties }),
    startCheckout: say("Checkout Started"),
    order: say("Order Completed"),
  };

  const lx = { version: VERSION, push: (call) => calls[call[0]] && lx[call[0]](...call.slice(1)) };
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

  if (allowed() !== null) queue = adopt();
  if (refused) {
    forget();
    queue = [];
  }
  keep();
  addEventListener("pagehide", leave);
  addEventListener("pageshow", () => (left = false));
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
      if (event.persisted) lx.page(document.title);
    });
    if (document.prerendering) document.addEventListener("prerenderingchange", look);
    else look();
  }
  if (Array.isArray(early)) {
    early.forEach(lx.push);
    early.push = lx.push;
  }
  if (queue.length) later(200);
})();
