// Lets a person give an order by a key of this browser, of any kind: the page has the sentences and what is asked
// (data-…), this file drafts, shows the words of the bytes, signs and sends. Nothing leaves before "sign"; what does not
// arrive is sent again, the same bytes, and counts once.
import {formOf, hex, keyStore, kidOf, makeKey, newId, orderIn, payloadOf, signed, signerOf, unhex, valuesIn} from "./order.js";

const REASON_BYTES_MAX = 60;
const REDRAFT_MS = 1000; // the words that wait for "sign" count from now, not from when they were first shown
const page = document.getElementById("give");
const said = page.dataset;
const stages = [...page.querySelectorAll("[data-stage]")];
const store = keyStore();
let key, kid, operator, reason = said.reason, payload, message, redraft;

const byId = (id) => document.getElementById(id);
const zone = {timeZone: "Europe/Paris"};

function show(...names) {
  redraft = clearTimeout(redraft);
  for (const one of stages) one.hidden = !names.includes(one.dataset.stage);
  if (names.length === 1) page.querySelector(`[data-stage="${names[0]}"] [data-first]`)?.focus({preventScroll: true}); // a page is read from its head
}

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

function moment(unixSeconds, now) {
  const text = (seconds, form) => new Date(seconds * 1000).toLocaleString(document.documentElement.lang, {...zone, ...form});
  const day = {weekday: "short", day: "numeric", month: "short"}, clock = {hour: "2-digit", minute: "2-digit", hourCycle: "h23"};
  return text(unixSeconds, text(unixSeconds, day) === text(now, day) ? clock : {...day, ...clock});
}

function length(seconds) {
  const minutes = Math.round(seconds / 60), hours = Math.floor(minutes / 60);
  return [hours && `${hours} h`, minutes % 60 && `${minutes % 60} min`].filter(Boolean).join(" ");
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
    key = await store.get(said.person);
  } catch {
    return show("absent");
  }
  if (!key) return show("prepare");
  kid = await kidOf(key.public);
  operator = page.querySelector(`[data-operator="${hex(kid)}"]`)?.dataset;
  if (operator?.form) return choose();
  if (operator) {
    byId("right").textContent = operator.noRight;
    return show("right");
  }
  byId("block").textContent = fill(said.block, {key: hex(key.public), name: JSON.stringify(said.person)});
  byId("fingerprint").textContent = hex(kid).match(/..../g).join(" ");
  return show("waiting");
}

// What is no second step shows its words beside what may be chosen.
function choose() {
  reason = said.reason;
  return reason ? draft() : show("choose");
}

async function prepare() {
  try {
    await store.put(said.person, await makeKey());
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

function words(bytes, now) {
  const order = orderIn(bytes);
  if (!said.forms.split(" ").includes(formOf(order))) throw new Error("form");
  const isPlace = order.gateway === (said.gateway || null) && order.target === (said.target || null);
  const isEnded = !order.ends || hex(order.ends) === said.ends;
  return fill(said.say, {
    place: isPlace && isEnded ? said.place : [order.gateway, order.target, order.ends && hex(order.ends)].filter(Boolean).join(" "),
    insee: order.insee, level: order.level, from: moment(order.notBefore, now), until: moment(order.expires, now),
    length: length(order.expires - order.notBefore), reason: order.reason, author: order.author,
  });
}

async function draft() {
  await write();
  show(...(said.reason ? ["choose", "confirm"] : ["confirm"]));
  again();
}

function again() {
  redraft = setTimeout(async () => {
    const own = redraft;
    if (!document.hidden) await write(() => own === redraft).catch(() => {}); // what stands can still be signed
    if (own === redraft) again();
  }, REDRAFT_MS);
}

async function write(isAwaited = () => true) {
  const answer = await fetch(said.time, {redirect: "error"});
  if (!answer.ok) throw new Error(answer.statusText);
  const now = Number(await answer.text());
  if (!isAwaited()) return;
  const [kind, ownLevel, values] = operator.form.split(",");
  const level = page.querySelector("[name=level]:checked")?.value ?? ownLevel;
  const [first, last] = page.querySelector("[name=time]:checked").value.split("-"); // "+1800", or two Unix seconds
  const notBefore = Number(first.startsWith("+") ? 0 : first) || now;
  payload = payloadOf({
    id: newId(), kind: Number(kind), author: operator.name, reason, notBefore,
    expires: first.startsWith("+") ? now + Number(first) : Number(last), insee: said.insee, gateway: said.gateway || null,
    target: said.target || null, level: level === "" ? null : Number(level), ends: said.ends ? unhex(said.ends) : null,
    values: valuesIn(values),
  });
  message = undefined;
  const text = words(payload, now);
  if (byId("words").textContent !== text) byId("words").textContent = text; // read aloud when it changes
}

function because(text) {
  reason = text;
  for (const one of page.querySelectorAll("[name=reason]")) one.checked = one.value === text;
  return draft();
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
  return location.assign(said.after + (said.ends || hex(orderIn(payload).id)));
}

function fail(why) {
  byId("why").textContent = why;
  show("failed");
}

document.addEventListener("click", (event) => {
  const pressed = event.target.closest("[data-do], button[data-reason]");
  if (!pressed) return;
  const data = pressed.dataset, other = byId("other");
  let done;
  if (data.do === "prepare") done = prepare();
  else if (data.do === "share") done = share(pressed);
  else if (data.do === "sign") done = send();
  else if (data.do === "back") done = choose();
  else if (data.do === "other") done = line(other.value) ? because(line(other.value)) : other.focus();
  else done = because(data.reason);
  Promise.resolve(done).catch(() => fail(said.sayLost));
});
document.addEventListener("change", ({target}) => {
  if (target.matches("[data-places]")) target.form.requestSubmit();
  else if (target.name === "reason") because(target.value).catch(() => fail(said.sayLost));
  else if (target.name === "time" && said.reason) draft().catch(() => fail(said.sayLost));
});
begin();
