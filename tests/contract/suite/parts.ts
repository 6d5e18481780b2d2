import { randomBytes } from "node:crypto";
import { crc32, deflateSync } from "node:zlib";
import type { OutgoingMedia, OutgoingPart } from "../../../shared/connectors/connector.ts";

/** Stands in every text of the suite, so that a text in an error message is found. */
export const TOPIC = "Know your numbers";

/** What a platform hands back differently: quotes, angle brackets, two lines, accents, emoji, a tag and a link. */
export const TRICKY_TEXT = `${TOPIC}: "120/80" & <below> isn't luck.

Café 👨‍👩‍👧‍👦 हृदय #HeartMonth https://www.heart.org/en/health-topics?topic=blood&page=2`;

export function aPart(fields: Partial<OutgoingPart> = {}): OutgoingPart {
  return {
    text: `${TOPIC}: have your blood pressure measured.`,
    media: [],
    link: null,
    thread: null,
    idempotencyKey: randomBytes(32).toString("hex"),
    ...fields,
  };
}

/** A real PNG, a square of one colour; another `shade` makes other bytes. */
export function aPicture(shade: number, altText: string): OutgoingMedia {
  const bytes = png(SIDE, shade);
  return {
    id: `00000000-0000-4000-8000-${String(shade).padStart(12, "0")}`,
    contentType: "image/png",
    byteLength: bytes.length,
    width: SIDE,
    height: SIDE,
    altText,
    read: async () => new Uint8Array(bytes),
  };
}

const SIDE = 16;

function png(side: number, shade: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 0], 8); // eight bits of grey
  const row = Buffer.concat([Buffer.of(0), Buffer.alloc(side, shade)]);
  const rows = Buffer.concat(Array.from({ length: side }, () => row));
  const signature = Buffer.from("89504e470d0a1a0a", "hex");
  const chunks = [chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND")];
  return Buffer.concat([signature, ...chunks]);
}

function chunk(type: string, content = Buffer.alloc(0)): Buffer {
  const named = Buffer.concat([Buffer.from(type, "latin1"), content]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}
