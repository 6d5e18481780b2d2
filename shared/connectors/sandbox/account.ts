import * as z from "zod";
import type { Connection } from "../connector.ts";
import { ConnectorError } from "../error.ts";
import { json, request, type SandboxCall } from "./api.ts";
import type { Credentials } from "./credentials.ts";
import { capabilities } from "./limits.ts";

const Session = z.object({ handle: z.string(), token: z.string() });
const Account = z.object({ handle: z.string() });

/** Signs in where that has not been done, and says under which handle. */
export async function connect(call: SandboxCall): Promise<Connection<Credentials>> {
  const credentials = call.credentials.token ? call.credentials : await signIn(call);
  const { handle } = await readAccount({ ...call, credentials });
  return { remoteAccountId: handle, handle, credentials, capabilities };
}

/** Asks whose sign-in this is: fails where publishing would. */
export async function check(call: SandboxCall): Promise<void> {
  // Without a token, `connect` has not been called yet: only a person can do that.
  if (!call.credentials.token) throw new ConnectorError("reauthorize");
  await readAccount(call);
}

async function signIn(call: SandboxCall): Promise<Credentials> {
  const { handle } = call.credentials;
  return request(call, { method: "POST", path: "/sessions", body: json({ handle }) }, Session);
}

const readAccount = (call: SandboxCall) =>
  request(call, { method: "GET", path: "/account" }, Account);
