import type { Connector } from "../connector.ts";
import { Credentials, Prepared, serverAddress, Settings } from "./access.ts";
import { check, connect } from "./account.ts";
import { capabilitiesOf, DEFAULT_LIMITS } from "./capabilities.ts";
import { readEngagement } from "./engagement.ts";
import { prepare } from "./media.ts";
import { commit, remove } from "./publish.ts";
import { readBack } from "./read-back.ts";
import { reconcile } from "./reconcile.ts";
import { measure } from "./text.ts";

/** Mastodon, and servers that speak its client API. */
export const connector: Connector<Credentials, Settings, Prepared> = {
  id: "mastodon",
  name: "Mastodon",
  capabilities: capabilitiesOf(DEFAULT_LIMITS),
  settings: Settings,
  credentials: Credentials,
  prepared: Prepared,
  measure,
  hostOf: (credentials, settings) => new URL(serverAddress({ credentials, settings })).host,
  connect,
  check,
  prepare,
  commit,
  reconcile,
  remove,
  readEngagement,
  readBack,
};
