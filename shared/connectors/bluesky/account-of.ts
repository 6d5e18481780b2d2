import * as z from "zod";
import { pdsOf, sessionOf, type BlueskyCall } from "./credentials.ts";
import { xrpc } from "./xrpc.ts";

/**
 * The DID behind a handle.
 * @throws {ConnectorError} `gone` where nobody has the handle
 */
export async function accountOf(handle: string, call: BlueskyCall): Promise<string> {
  const { did } = await xrpc(
    call,
    {
      base: pdsOf(call, sessionOf(call)),
      method: "com.atproto.identity.resolveHandle",
      params: [["handle", handle]],
    },
    {
      schema: z.object({ did: z.string().startsWith("did:") }),
      meaning: { refused: "gone", lost: "unavailable" },
    },
  );
  return did;
}
