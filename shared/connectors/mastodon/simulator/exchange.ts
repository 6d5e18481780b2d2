import type { faultSwitches } from "../../simulator.ts";
import type { Network, StoredAccount, StoredStatus } from "./network.ts";
import type { ServerOptions } from "./options.ts";
import type { Family, RateState } from "./rates.ts";

export interface Server {
  readonly options: ServerOptions;
  readonly network: Network;
  readonly faults: ReturnType<typeof faultSwitches>;
  readonly countRate: (accountId: string, family: Family) => RateState;
  /** Without a slash at its end. */
  readonly url: () => string;
}

/** One request whose sender is known. */
export interface Exchange {
  readonly account: StoredAccount;
  /** What stands for `:id` in the path; empty where there is none. */
  readonly id: string;
  readonly url: URL;
  readonly raw: Buffer;
  readonly contentType: string;
  /** Undefined where it is not JSON. */
  readonly body: unknown;
  readonly key: string | undefined;
  /** The post that the key named when the request came. */
  readonly keyed: StoredStatus | null;
}
