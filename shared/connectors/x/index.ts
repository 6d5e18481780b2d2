import type { Call, Connector } from "../connector.ts";
import { canRenew, check, connect, expiresAt, renew } from "./account.ts";
import type { XCall } from "./api.ts";
import { CAPABILITIES } from "./capabilities.ts";
import { openConnections } from "./connections.ts";
import { Credentials, Settings } from "./credentials.ts";
import { readEngagement } from "./engagement.ts";
import { prepare, Prepared } from "./media.ts";
import { commit, remove } from "./publish.ts";
import { readBack } from "./read-back.ts";
import { reconcile } from "./reconcile.ts";
import { remoteIdIn } from "./remote-id.ts";
import { weightedLength } from "./text.ts";

export const connector = xConnector();

/** Open connections are kept here and nothing else is: losing them costs a handshake. */
function xConnector(): Connector<Credentials, Settings, Prepared> {
  const connections = openConnections();
  const over = (call: Call<Credentials, Settings>): XCall => ({ ...call, connections });
  return {
    id: "x",
    name: "X",
    capabilities: CAPABILITIES,
    settings: Settings,
    credentials: Credentials,
    prepared: Prepared,
    measure: (text) => weightedLength(text),
    connect: (call) => connect(over(call)),
    check: (call) => check(over(call)),
    renewal: { expiresAt, canRenew, renew: (call) => renew(over(call)) },
    prepare: (part, previous, call) => prepare(part, previous, over(call)),
    commit: (part, prepared, call) => commit(part, prepared, over(call)),
    reconcile: (part, attempt, call) => reconcile(part, attempt, over(call)),
    remoteIdOf: (permalink) => Promise.resolve(remoteIdIn(permalink)),
    remove: (remoteId, call) => remove(remoteId, over(call)),
    readEngagement: (remoteIds, call) => readEngagement(remoteIds, over(call)),
    readBack: (parts, call) => readBack(parts, over(call)),
  };
}
