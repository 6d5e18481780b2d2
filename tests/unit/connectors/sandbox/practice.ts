import { documentsInMemory } from "../../../../shared/connectors/sandbox/memory.ts";
import { createNetwork } from "../../../../shared/connectors/sandbox/network.ts";

/** A pixel: the smallest GIF that browsers take. */
export const GIF = Buffer.from("R0lGODlhAQABAAAAACwAAAAAAQABAAA=", "base64");

const START = Date.parse("2027-02-05T15:00:00Z");

/** A practice network without a server: requests go straight to its handler. */
export function aNetwork(documents = documentsInMemory()) {
  let time = START;
  const handle = createNetwork(documents, { now: () => new Date(time) });
  const ask = (method: string, path: string, init: RequestInit = {}) =>
    handle(new Request(`http://127.0.0.1:3000/sandbox${path}`, { method, ...init }));

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
    key: crypto.randomUUID(),
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
