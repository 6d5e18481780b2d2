import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { AppError } from "./errors.ts";

const VERSION = 1;
const KEY_ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES;

/** Turns secrets into bytes that are worthless without the key and in any other row. */
export interface Sealer {
  /** @param identity names the row and column, such as `channels/<id>/credentials`; opening needs the same */
  seal(secret: unknown, identity: string): Buffer;
  /** @throws {AppError} unavailable `secret.key_missing`, `secret.damaged` */
  open(sealed: Buffer, identity: string): unknown;
}

/** AES-256-GCM; layout: version, key id, nonce, tag, ciphertext. The key id makes a rotation possible. */
export function createSealer(key: Buffer): Sealer {
  const keyId = createHash("sha256").update(key).digest().subarray(0, KEY_ID_BYTES);
  return {
    seal(secret, identity) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, nonce);
      cipher.setAAD(additionalData(keyId, identity));
      const body = Buffer.concat([cipher.update(JSON.stringify(secret), "utf8"), cipher.final()]);
      return Buffer.concat([Buffer.of(VERSION), keyId, nonce, cipher.getAuthTag(), body]);
    },
    open(sealed, identity) {
      if (!sealed.subarray(1, 1 + KEY_ID_BYTES).equals(keyId)) {
        throw new AppError(
          "unavailable",
          "secret.key_missing",
          "The sign-in of this channel was sealed with another key. Set POSTWELL_SECRET_KEY to that key, or reconnect the channel.",
        );
      }
      const nonce = sealed.subarray(1 + KEY_ID_BYTES, HEADER_BYTES);
      const decipher = createDecipheriv("aes-256-gcm", key, nonce);
      decipher.setAAD(additionalData(keyId, identity));
      decipher.setAuthTag(sealed.subarray(HEADER_BYTES, HEADER_BYTES + TAG_BYTES));
      return JSON.parse(decrypt(decipher, sealed.subarray(HEADER_BYTES + TAG_BYTES)));
    },
  };
}

function additionalData(keyId: Buffer, identity: string): Buffer {
  return Buffer.concat([Buffer.of(VERSION), keyId, Buffer.from(identity, "utf8")]);
}

function decrypt(decipher: ReturnType<typeof createDecipheriv>, body: Buffer): string {
  try {
    return decipher.update(body, undefined, "utf8") + decipher.final("utf8");
  } catch (cause) {
    const error = new AppError(
      "unavailable",
      "secret.damaged",
      "The stored sign-in of this channel cannot be read. Reconnect the channel.",
    );
    error.cause = cause;
    throw error;
  }
}
