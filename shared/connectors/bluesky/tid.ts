import { randomInt } from "node:crypto";

const DIGITS = "234567abcdefghijklmnopqrstuvwxyz";

const JITTER_MICROS = 1_000_000;
const CLOCK_IDS = 1024;

/**
 * A new record key: 53 bits of microseconds and a clock id of 10 bits, in 13 sortable digits. The time lies up to a second
 * before `now`, at random: nobody here remembers the last key, and parts prepared in the same millisecond need different ones.
 * Source: https://atproto.com/specs/tid (read 2026-11-22)
 */
export function newTid(now: Date): string {
  const micros = now.getTime() * 1000 - randomInt(JITTER_MICROS);
  return encodeTid(micros, randomInt(CLOCK_IDS));
}

/** The record key of an instant, in microseconds since 1970, and a clock id below 1024. */
export function encodeTid(micros: number, clockId: number): string {
  let rest = (BigInt(micros) << 10n) | BigInt(clockId);
  let digits = "";
  for (let place = 0; place < 13; place += 1) {
    digits = DIGITS.charAt(Number(rest & 31n)) + digits;
    rest >>= 5n;
  }
  return digits;
}
