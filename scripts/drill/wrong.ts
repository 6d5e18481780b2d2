import type { Line } from "./script.ts";

/** What must not happen. */
export const WRONGS = [
  "lost",
  "doubled",
  "forbidden",
  "early",
  "out of order",
  "ledger wrong",
  "stuck",
  "leaked",
  "crashed",
  "other",
] as const;

/** One thing that must not happen, and has. */
export interface Wrong {
  readonly what: (typeof WRONGS)[number];
  readonly detail: string;
  /** The delivery concerned; null where it is none in particular. */
  readonly line: Line | null;
}

export function wrong(what: Wrong["what"], detail: string, line: Line | null): Wrong {
  return { what, detail, line };
}
