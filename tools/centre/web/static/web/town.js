// Lets a person light their commune in two touches: why, then sign. The page has the sentences (data-say-…), this file
// has the order. Nothing leaves before "sign"; what does not arrive is sent again, the same bytes, and counts once.
import {EMERGENCY, END, hex, keyStore, kidOf, makeKey, newId, orderIn, payloadOf, signed, signerOf, unhex} from "./order.js";

const REASON_BYTES_MAX = 60;
const REDRAFT_MS = 1000; // the words that wait for "sign" count from now, not from when the reason was chosen
const page = document.getElementById("light");
const said = page.dataset;
const stages = [...page.querySelectorAll("[data-stage]")];
const store = keyStore();
const keyName = `${said.insee} ${said.person}`;
let key, kid, operator, payload, message, redraft;

const byId = (id) => document.getElementById(id);
const zone = {timeZone: "Europe/Paris"};

function show(name) {
  redraft = clearTimeout(redraft);
  for (const one of stages) one.hidden = one.dataset.stage !== name;
  page.querySelector(`[data-stage="${name}"] [data-first]`)?.focus();
}

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

function clock(unixSeconds) {
  const at = new Date(unixSeconds * 1000);
  return at.toLocaleTimeString(document.documentElement.lang, {...zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23"});
}

function length(seconds) {
  return seconds < 3600 ? `${seconds / 60} min` : `${seconds / 3600} h`;
}

function line(text) {
  let kept = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, " ").trim();
  while (new TextEncoder().encode(kept).length > REASON_BYTES_MAX) kept = kept.slice(0, -1).trim();
  return kept;
}

// --- which stage

async function begin() {
  if (!window.isSecureContext || !crypto.subtle || !window.indexedDB) return show("absent");
  try {
    key = await store.get(keyName);
  } catch {
    return show("absent");
  }
  if (!key) return show("prepare");
  kid = await kidOf(key.public);
  const own = page.querySelector(`[data-operator="${hex(kid)}"]`);
  operator = own?.dataset.name;
  document.body.dataset.kid = hex(kid);
  revealEnds();
  if (operator) return show("ready");
  byId("block").textContent = fill(said.block, {key: hex(key.public), name: JSON.stringify(said.person)});
  byId("fingerprint").textContent = hex(kid).match(/..../g).join(" ");
  return show("waiting");
}

async function prepare() {
  try {
    await store.put(keyName, await makeKey());
  } catch {
    return show("absent");
  }
  await navigator.storage?.persist?.();
  return begin();
}

async function share(button) {
  const text = byId("block").textContent;
  if (navigator.share) return navigator.share({text}).catch(() => {});  // given up
  await navigator.clipboard.writeText(text);
  button.textContent = said.sayShared;
}

// --- the words, from the bytes

function words(bytes) {
  const order = orderIn(bytes);
  const values = {
    target: order.target, commune: `${said.commune} (${order.insee})`, until: clock(order.expires),
    length: length(order.expires - order.notBefore), reason: order.reason, author: order.author,
  };
  const what = order.kind === END ? said.sayEnd : order.target === null ? said.sayAll : said.sayFeeder;
  return fill(what, values);
}

async function draft(fields) {
  await write(fields);
  show("confirm");
  again(fields);
}

function again(fields) {
  redraft = setTimeout(async () => {
    const own = redraft;
    await write(fields, () => own === redraft).catch(() => {}); // what stands can still be signed
    if (own === redraft) again(fields);
  }, REDRAFT_MS);
}

async function write(fields, isAwaited = () => true) {
  const answer = await fetch(said.time, {redirect: "error"});
  if (!answer.ok) throw new Error(answer.statusText);
  const now = Number(await answer.text());
  if (!isAwaited()) return;
  const {lasts, ...rest} = fields;
  payload = payloadOf({
    id: newId(), author: operator, notBefore: now, expires: now + lasts, insee: said.insee, gateway: null, target: null,
    ...rest,
  });
  message = undefined;
  const text = words(payload);
  if (byId("words").textContent !== text) byId("words").textContent = text; // read aloud when it changes
}

function lit(reason) {
  const lasts = Number(page.querySelector("[name=lasts]:checked").value);
  return draft({kind: EMERGENCY, lasts, reason, target: byId("target").value || null});
}

function ended(data) {
  return draft({
    kind: END, expires: Number(data.expires), reason: said.endReason, gateway: data.gateway || null, ends: unhex(data.end),
  });
}

// --- signed and sent

async function send() {
  show("sending");
  try {
    message ??= await signed(payload, kid, signerOf(key));
    const form = new FormData();
    form.set("order", hex(message));
    form.set("csrfmiddlewaretoken", page.querySelector("[name=csrfmiddlewaretoken]").value);
    const answer = await fetch(said.sign, {method: "POST", body: form, redirect: "error"});
    if (answer.status !== 204) return fail(await answer.text());
  } catch {
    return fail(said.sayLost);
  }
  show("ready");
  htmx.trigger("#orders", "signed");
  return byId("orders").scrollIntoView({block: "center"});
}

function fail(why) {
  byId("why").textContent = why;
  show("failed");
}

// An end is offered to who has signed the beginning.
function revealEnds() {
  for (const one of document.querySelectorAll("[data-end]")) one.hidden = one.dataset.kid !== document.body.dataset.kid;
}

document.addEventListener("htmx:afterSwap", revealEnds);
document.addEventListener("click", (event) => {
  const pressed = event.target.closest("[data-do], [data-reason], [data-end]");
  if (!pressed) return;
  const data = pressed.dataset;
  let done;
  if (data.end) done = ended(data);
  else if (data.do === "prepare") done = prepare();
  else if (data.do === "share") done = share(pressed);
  else if (data.do === "sign") done = send();
  else if (data.do === "back") done = show(operator ? "ready" : "waiting");
  else if (data.do === "other") done = line(byId("other").value) ? lit(line(byId("other").value)) : byId("other").focus();
  else if (data.reason) done = lit(data.reason);
  Promise.resolve(done).catch(() => fail(said.sayLost));
});
begin();
