import type { SimulatorOptions } from "../../simulator.ts";

/** What differs between servers that speak this API; the defaults are a current Mastodon. */
export interface MastodonOptions extends SimulatorOptions {
  /** 4.5 has quote counts, 4.3 batches, 4.0 version 2 of the instance, 3.5 sources; older ones lack them. */
  readonly version?: number;
  /** `checked_late` looks for the key when a request comes and stores it when the post is there, as Hollo does. */
  readonly idempotency?: "atomic" | "checked_late";
  readonly ids?: "snowflake" | "uuid";
  /** `html`: a proxy replaces the server's error bodies by its own pages. */
  readonly errorPages?: "json" | "html";
  readonly rateHeaders?: boolean;
  /** Off by default, so that benches may post faster than a server allows. */
  readonly enforceRateLimits?: boolean;
  readonly maxCharacters?: number;
  readonly maxMedia?: number;
  readonly reservedPerUrl?: number;
}

export type ServerOptions = Required<Omit<MastodonOptions, "port">>;

export function withDefaults(options: MastodonOptions): ServerOptions {
  return {
    version: 4.5,
    idempotency: "atomic",
    ids: "snowflake",
    errorPages: "json",
    rateHeaders: true,
    enforceRateLimits: false,
    maxCharacters: 500,
    maxMedia: 4,
    reservedPerUrl: 23,
    now: () => new Date(),
    latencyMs: 0,
    ...options,
  };
}
