import * as z from "zod";
import type { Fault } from "../../shared/connectors/simulator.ts";
import type { Child } from "./child.ts";

/** A post as a platform has it. */
export const SeenPost = z.object({
  platform: z.string(),
  account: z.string(),
  remoteId: z.string(),
  text: z.string(),
  altTexts: z.array(z.string()),
  parent: z.string().nullable(),
  at: z.coerce.date(),
  removed: z.boolean(),
});

export type SeenPost = z.output<typeof SeenPost>;

/** All platforms of a drill, as the drill sees them. */
export interface Platforms {
  readonly process: Child;
  /** Base addresses, by platform; in one order for the same platforms. */
  readonly urls: ReadonlyMap<string, string>;
  /** Credentials, as a person would get them. The same name is the same account. */
  account(platform: string, name: string): Promise<Readonly<Record<string, unknown>>>;
  misbehave(platform: string, fault: Fault, times: number): Promise<void>;
  answerLate(platform: string, how: { byMs: number; forMs: number }): Promise<void>;
  endSignIn(platform: string, name: string): Promise<void>;
  /** Every post that is or was public. */
  posts(): Promise<SeenPost[]>;
  count(): Promise<number>;
  /** What is public under one of these texts. */
  find(texts: readonly string[]): Promise<SeenPost[]>;
}

/** Has the simulators start. */
export async function openPlatforms(process: Child): Promise<Platforms> {
  const urls = await process.ask("start", z.record(z.string(), z.string()));
  const done = z.unknown().transform(() => undefined);
  return {
    process,
    urls: new Map(Object.entries(urls)),
    account: (platform, name) =>
      process.ask("account", z.record(z.string(), z.unknown()), { platform, name }),
    misbehave: (platform, fault, times) =>
      process.ask("misbehave", done, { platform, fault, times }),
    answerLate: (platform, how) => process.ask("answerLate", done, { platform, ...how }),
    endSignIn: (platform, name) => process.ask("endSignIn", done, { platform, name }),
    posts: () => process.ask("posts", z.array(SeenPost)),
    count: () => process.ask("count", z.int()),
    find: (texts) => process.ask("find", z.array(SeenPost), texts),
  };
}
