import * as z from "zod";
import type { Connection } from "../connector.ts";
import type { Credentials, MastodonCall } from "./access.ts";
import { capabilitiesOf } from "./capabilities.ts";
import { refusal } from "./errors.ts";
import { readInstance } from "./instance.ts";
import { ask, read } from "./request.ts";

const Account = z.object({ id: z.string().min(1), username: z.string().min(1) });

/**
 * Without the right to upload the channel is connected all the same, for posts without images.
 * Ids are the server's own, so the account's id carries the domain.
 */
export async function connect(call: MastodonCall): Promise<Connection<Credentials>> {
  const account = await readAccount(call);
  await refuseWithoutRight(call, "statuses");
  const canUpload = (await rightRefused(call, "media")) === null;
  const { domain, limits } = await readInstance(call);
  return {
    remoteAccountId: `${account.id}@${domain}`,
    handle: `@${account.username}@${domain}`,
    credentials: { ...call.credentials, accountId: account.id },
    capabilities: capabilitiesOf(canUpload ? limits : { ...limits, maxImages: 0 }),
  };
}

/** Two requests: the first fails when the sign-in has ended, the second when it does not include posting. */
export async function check(call: MastodonCall): Promise<void> {
  await readAccount(call);
  await refuseWithoutRight(call, "statuses");
}

/** The account's id on its server, asked for only where `connect` did not keep it. */
export async function accountId(call: MastodonCall): Promise<string> {
  return call.credentials.accountId ?? (await readAccount(call)).id;
}

function readAccount(call: MastodonCall): Promise<z.infer<typeof Account>> {
  return read(call, "/api/v1/accounts/verify_credentials", Account);
}

async function refuseWithoutRight(call: MastodonCall, thing: "statuses" | "media"): Promise<void> {
  const error = await rightRefused(call, thing);
  if (error) throw error;
}

/**
 * No endpoint names the scopes of a token, so this edits a thing that cannot exist: scopes and the account's standing are
 * looked at first, hence a token without the right gets 403, and one with it 404 or 422.
 * Source: https://github.com/mastodon/mastodon app/controllers/api/v1/statuses_controller.rb (read 2026-11-22)
 */
async function rightRefused(call: MastodonCall, thing: "statuses" | "media") {
  const path = `/api/v1/${thing}/0`;
  const answer = await ask(call, { method: "PUT", path, json: {} }, "read");
  const error = refusal(answer, "read", call.now());
  if (error.kind === "permission") return error;
  if (["reauthorize", "rate_limited"].includes(error.kind) || answer.status >= 500) throw error;
  return null;
}
