import type { Connector } from "../connector.ts";
import { countGraphemes } from "../graphemes.ts";
import { capabilities } from "./capabilities.ts";
import { Credentials, homeOf, Settings } from "./credentials.ts";
import { readEngagement } from "./engagement.ts";
import { Prepared, prepare } from "./prepare.ts";
import { commit, reconcile, remove } from "./publish.ts";
import { readBack } from "./read-back.ts";
import { remoteIdOf } from "./remote-id.ts";
import { check, connect, renewal } from "./session.ts";

export const connector = {
  id: "bluesky",
  name: "Bluesky",
  capabilities,
  settings: Settings,
  credentials: Credentials,
  prepared: Prepared,
  // A link counts in full.
  measure: countGraphemes,
  hostOf: (credentials, settings) => new URL(homeOf({ credentials, settings })).host,
  connect,
  check,
  renewal,
  prepare,
  commit,
  reconcile,
  remoteIdOf,
  remove,
  readEngagement,
  readBack,
} satisfies Connector<Credentials, Settings, Prepared>;
