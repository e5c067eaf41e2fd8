// Builds and reads the bytes of an order as firmware/wire does (cbor.py, command.py, cose.py): deterministic CBOR
// (RFC 8949, 4.2.1) in a COSE_Sign1 (RFC 9052, 4.2) with Ed25519. What a person reads before signing is made from the
// bytes that are signed. The private key cannot be exported and lives in this browser; the page can use it, no more.

const FORMAT = 1;
const SIGN1_TAG = 0xd2;
const AAD = new TextEncoder().encode("bocage command");
const ID_BYTES = 8;
const FIELDS = [
  "format", "id", "kind", "author", "reason", "notBefore", "expires", "insee", "gateway", "target", "level", "ends",
  "values",
];

// --- bytes

function head(major, value) {
  if (value < 24) return [major << 5 | value];
  if (value < 0x100) return [major << 5 | 24, value];
  if (value < 0x10000) return [major << 5 | 25, value >>> 8, value & 255];
  return [major << 5 | 26, value >>> 24 & 255, value >>> 16 & 255, value >>> 8 & 255, value & 255];
}

export function encode(value) {
  if (value === null) return [0xf6];
  if (typeof value === "number") return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === "string") {
    const text = new TextEncoder().encode(value);
    return [...head(3, text.length), ...text];
  }
  if (value instanceof Uint8Array) return [...head(2, value.length), ...value];
  if (Array.isArray(value)) return [...head(4, value.length), ...value.flatMap(encode)];
  return [...head(5, value.size), ...[...value].flatMap((pair) => pair.flatMap(encode))];
}

function decode(bytes) {
  let at = 0;
  function item() {
    const first = bytes[at++];
    const major = first >>> 5;
    if (first === 0xf6) return null;
    let value = first & 31;
    if (value > 26 || major > 5) throw new Error("cbor");
    if (value > 23) {
      let length = 1 << value - 24;
      for (value = 0; length; length--) value = value * 256 + bytes[at++];
    }
    if (major === 0) return value;
    if (major > 1 && value > bytes.length) throw new Error("cbor");
    if (major === 1) return -1 - value;
    if (major === 4) return Array.from({length: value}, item);
    if (major === 5) return new Map(Array.from({length: value}, () => [item(), item()]));
    const content = bytes.slice(at, at += value);
    return major === 2 ? content : new TextDecoder("utf-8", {fatal: true}).decode(content);
  }
  const found = item();
  if (at !== bytes.length) throw new Error("cbor");
  return found;
}

// --- an order

// Returns the payload of an order. Keys ascend and what is null after `target` is left out, as command.py has it.
export function payloadOf(order) {
  const fields = {format: FORMAT, level: null, ends: null, values: null, ...order};
  const pairs = FIELDS.map((name, index) => [index + 1, fields[name]]);
  return new Uint8Array(encode(new Map(pairs.filter(([key, value]) => key < 11 || value !== null))));
}

// Returns the order in a payload; Error where the payload is not, byte for byte, what this order would be written as.
export function orderIn(payload) {
  const found = decode(payload);
  const order = Object.fromEntries(FIELDS.map((name, index) => [name, found.get(index + 1) ?? null]));
  if (hex(payloadOf(order)) !== hex(payload)) throw new Error("order");
  return order;
}

// Returns what makes an order one of its kind, such as "1,100," or "5,,9=2": kind, level, directives by code.
export function formOf(order) {
  const values = [...order.values ?? []].map(([code, value]) => `${code}=${value}`);
  return [order.kind, order.level ?? "", values.join(";")].join();
}

// Returns the directives of such a form, null for none; codes ascend in it, as in the bytes.
export function valuesIn(text) {
  return text ? new Map(text.split(";").map((pair) => pair.split("=").map(Number))) : null;
}

export function newId() {
  return crypto.getRandomValues(new Uint8Array(ID_BYTES));
}

export function hex(bytes) {
  return Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
}

export function unhex(text) {
  return new Uint8Array(text.match(/../g).map((pair) => parseInt(pair, 16)));
}

// Returns the signed order. `sign(bytes)` gives a promise of 64 bytes.
export async function signed(payload, kid, sign) {
  const header = new Uint8Array(encode(new Map([[1, -8], [4, kid]])));
  const covered = new Uint8Array(encode(["Signature1", header, AAD, payload]));
  const signature = new Uint8Array(await sign(covered));
  return new Uint8Array([SIGN1_TAG, ...encode([header, new Map(), payload, signature])]);
}

// --- the key of this browser

export async function kidOf(publicKey) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", publicKey)).slice(0, 8);
}

// Makes a key that cannot be exported: {private, public: 32 bytes}. Rejects where the browser knows no Ed25519.
export async function makeKey() {
  const pair = await crypto.subtle.generateKey({name: "Ed25519"}, false, ["sign", "verify"]);
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return {private: pair.privateKey, public: publicKey};
}

export function signerOf(key) {
  return (bytes) => crypto.subtle.sign({name: "Ed25519"}, key.private, bytes);
}

// Keeps a key under a name, or returns the one that is kept there.
export function keyStore() {
  function asked(mode, ask) {
    return new Promise((resolve, reject) => {
      const opening = indexedDB.open("bocage", 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore("keys");
      opening.onerror = () => reject(opening.error);
      opening.onsuccess = () => {
        const change = opening.result.transaction("keys", mode);
        const question = ask(change.objectStore("keys"));
        change.oncomplete = () => { opening.result.close(); resolve(question.result); };
        change.onerror = change.onabort = () => reject(change.error);
      };
    });
  }
  return {
    get: (name) => asked("readonly", (keys) => keys.get(name)),
    put: (name, key) => asked("readwrite", (keys) => keys.put(key, name)),
  };
}
