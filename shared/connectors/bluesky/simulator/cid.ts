import { createHash } from "node:crypto";

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

const RAW = 0x55;
const DAG_CBOR = 0x71;

/** Content id of uploaded bytes. */
export function blobCid(bytes: Uint8Array): string {
  return cid(RAW, bytes);
}

/**
 * Content id of a record: the same for the same content, whatever the order of its fields. The real one is taken of CBOR;
 * as nobody but the server computes it, sorted JSON serves here.
 */
export function recordCid(record: unknown): string {
  return cid(DAG_CBOR, Buffer.from(JSON.stringify(sorted(record))));
}

function cid(codec: number, bytes: Uint8Array): string {
  const digest = createHash("sha256").update(bytes).digest();
  return `b${base32(Buffer.concat([Buffer.from([1, codec, 0x12, 32]), digest]))}`;
}

/** Unpadded, lower case. */
export function base32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffff;
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32.charAt((held >> (bits - 5)) & 31);
  }
  return bits > 0 ? text + BASE32.charAt((held << (5 - bits)) & 31) : text;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
