import type { Documents } from "../../../../shared/connectors/connector.ts";
import { documentsInMemory } from "../../../../shared/connectors/sandbox/memory.ts";
import { createNetwork } from "../../../../shared/connectors/sandbox/network.ts";
import { HOST_KEY_HEADER } from "../../../../shared/connectors/sandbox/network/host-key.ts";

/** A pixel: the smallest GIF that browsers take. */
export const GIF = Buffer.from("R0lGODlhAQABAAAAACwAAAAAAQABAAA=", "base64");

const HOST_KEY = "the key of this test";

const START = Date.parse("2027-02-05T15:00:00Z");

/** A practice network without a server: requests go straight to its handler. */
export function aNetwork(given?: Documents) {
  let time = START;
  const now = () => new Date(time);
  const documents = given ?? documentsInMemory(now);
  const handle = createNetwork(documents, { hostKey: HOST_KEY, now });
  /** With the host's key, unless the headers say another. */
  const ask = (method: string, path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    if (!headers.has(HOST_KEY_HEADER)) headers.set(HOST_KEY_HEADER, HOST_KEY);
    return handle(
      new Request(`http://127.0.0.1:3000/sandbox${path}`, { method, ...init, headers }),
    );
  };

  return {
    documents,
    handle,
    ask,
    pass: (ms: number) => {
      time += ms;
    },
    page: async (path = "/") => (await ask("GET", path)).text(),
    async signIn(name = "@heart"): Promise<string> {
      const response = await ask("POST", "/api/sessions", {
        body: JSON.stringify({ handle: name }),
      });
      return fieldOf(response, "token");
    },
    publish: (token: string, fields: Record<string, unknown> = {}) =>
      ask("POST", "/api/posts", {
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({ ...aPost(), ...fields }),
      }),
    upload: (token: string, bytes: Uint8Array<ArrayBuffer>, contentType = "image/gif") =>
      ask("POST", "/api/pictures", {
        headers: { authorization: `Bearer ${token}`, "content-type": contentType },
        body: bytes,
      }),
  };
}

export function aPost() {
  return {
    id: crypto.randomUUID(),
    text: "Know your numbers",
    link: null,
    pictures: [],
    parent: null,
  };
}

/** A text field of a JSON answer, and the code of a refusal as `code`. */
export async function fieldOf(response: Response, name: string): Promise<string> {
  const body: unknown = await response.json();
  const fields = isRecord(body) && isRecord(body["error"]) ? body["error"] : body;
  const value = isRecord(fields) ? fields[name] : undefined;
  if (typeof value !== "string") throw new Error(`no ${name} in ${JSON.stringify(body)}`);
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
