import { afterAll, beforeAll } from "@jest/globals";
import {
  startSimulator,
  type MastodonSimulator,
} from "../../shared/connectors/mastodon/simulator.ts";
import type { ApiStack } from "./api-stack.ts";

/** A platform, and what a person does there and over the API to connect accounts of it. */
export interface ChannelRequests {
  readonly platform: MastodonSimulator;
  /** What a person types in to connect an account. */
  readonly aRequest: (
    account: string,
    name?: string,
  ) => { platform: string; name: string; credentials: ReturnType<MastodonSimulator["account"]> };
  /** @returns the channel's id */
  readonly connect: (account: string) => Promise<string>;
  /** The types of what happened to one subject, oldest first. */
  readonly eventsOf: (subjectId: string) => Promise<string[]>;
}

/** Registers the hooks that start and end the platform. */
export function channelRequests(stack: ApiStack): ChannelRequests {
  let platform: MastodonSimulator;
  beforeAll(async () => {
    platform = await startSimulator();
  });
  afterAll(() => platform.close());

  const aRequest = (account: string, name = account) => ({
    platform: "mastodon",
    name,
    credentials: platform.account(account),
  });
  return {
    get platform() {
      return platform;
    },
    aRequest,
    connect: async (account) => (await stack.client.post("/channels", aRequest(account))).body.id,
    async eventsOf(subjectId) {
      const rows = await stack.db
        .selectFrom("events")
        .select("type")
        .where("subjectId", "=", subjectId)
        .orderBy("id")
        .execute();
      return rows.map((row) => row.type);
    },
  };
}
