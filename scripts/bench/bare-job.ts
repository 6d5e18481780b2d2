import * as z from "zod";

export const BARE_QUEUE = "bare";

/** All that the bare worker needs, so that it never has to look anything up. */
export const BareJob = z.object({
  channel: z.int(),
  handle: z.string(),
  token: z.string(),
  text: z.string(),
  /** Milliseconds since 1970. */
  dueAt: z.number(),
});

export type BareJob = z.infer<typeof BareJob>;

/** Times in milliseconds since 1970. */
export const BareRun = z.object({
  channel: z.int(),
  dueAt: z.number(),
  beganAt: z.number(),
  endedAt: z.number(),
});

export type BareRun = z.infer<typeof BareRun>;
