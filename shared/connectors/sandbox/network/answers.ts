/** A request that the network turns down. The message is shown to people, so it repeats nothing that was sent. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** An API answer. */
export function answer(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store" },
  });
}

export function refusalAnswer({ status, code, message }: Refusal): Response {
  return answer(status, { error: { code, message } });
}

/**
 * Reads a body, but never more than `maxBytes` of it.
 * @throws {Refusal} 413 `too_large`
 */
export async function readBody(request: Request, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new Refusal(413, "too_large", "The request is too large.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
