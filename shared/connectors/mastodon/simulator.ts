import { faultSwitches, listen, type SimulatedPost, type Simulator } from "../simulator.ts";
import type { Server } from "./simulator/exchange.ts";
import { createNetwork, type StoredStatus } from "./simulator/network.ts";
import { withDefaults, type MastodonOptions } from "./simulator/options.ts";
import { rateWindows } from "./simulator/rates.ts";
import { send } from "./simulator/reply.ts";
import { answer, throughProxy } from "./simulator/server.ts";

export type { MastodonOptions } from "./simulator/options.ts";

export interface MastodonSimulator extends Simulator {
  /** The same name brings the same account with a fresh token. Scopes are all of them unless given. */
  account(name: string, scopes?: readonly string[]): { server: string; accessToken: string };
  /** Forgets the uploads that no post uses, as servers do after a day. */
  forgetUploads(): void;
}

/**
 * A Mastodon server as its documentation and source describe it.
 * Source: https://docs.joinmastodon.org/methods/ and https://github.com/mastodon/mastodon app/ (read 2026-11-22)
 */
export async function startSimulator(options: MastodonOptions = {}): Promise<MastodonSimulator> {
  const settled = withDefaults(options);
  const network = createNetwork(settled);
  const faults = faultSwitches();
  let address = "http://127.0.0.1";
  const server: Server = {
    options: settled,
    network,
    faults,
    countRate: rateWindows(settled),
    url: () => address,
  };
  const listening = await listen(async (request, response, body) => {
    const { reply, headers } = await answer(server, request, body);
    send(response, throughProxy(reply, settled), headers);
  }, options.port);
  address = listening.url;
  return {
    url: address,
    account: (name, scopes = ["read", "write"]) => ({
      server: address,
      accessToken: network.issueToken(name, scopes),
    }),
    posts: () => [...network.statuses.values()].map(simulatedPost),
    engage(remoteId, counts) {
      const status = network.statuses.get(remoteId);
      if (!status) throw new Error(`no post ${remoteId}`);
      status.counts = { ...counts };
    },
    fault: faults.set,
    expireTokens: (name) => network.revokeTokens(name),
    forgetUploads() {
      for (const [id, media] of network.media) if (!media.isAttached) network.media.delete(id);
    },
    close: listening.close,
  };
}

function simulatedPost(status: StoredStatus): SimulatedPost {
  return {
    account: status.account.name,
    remoteId: status.id,
    text: status.text,
    altTexts: status.media.map((media) => media.description ?? ""),
    parent: status.parent?.id ?? null,
    at: status.at,
    removed: status.isRemoved,
  };
}
