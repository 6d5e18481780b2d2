import type { Connector } from "../connector.ts";
import { countGraphemes } from "../graphemes.ts";
import { check, connect } from "./account.ts";
import { Credentials, Settings } from "./credentials.ts";
import { readEngagement } from "./engagement.ts";
import { capabilities } from "./limits.ts";
import { createNetwork } from "./network.ts";
import { commit, prepare, Prepared, reconcile, remove } from "./publish.ts";
import { readBack } from "./read-back.ts";

/** A small social network inside Postwell: publishing without any account, on a page that looks public. */
export const connector: Connector<Credentials, Settings, Prepared> = {
  id: "sandbox",
  name: "Sandbox",
  capabilities,
  settings: Settings,
  credentials: Credentials,
  prepared: Prepared,
  measure: countGraphemes,
  connect,
  check,
  prepare,
  commit,
  reconcile,
  remove,
  readEngagement,
  readBack,
  host: (documents, { hostKey }) => createNetwork(documents, { hostKey }),
};
