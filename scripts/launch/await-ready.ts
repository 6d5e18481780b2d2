import { setTimeout as delay } from "node:timers/promises";

/**
 * Asks `/readyz` until it answers 200.
 * @throws {Error} with the last answer, when that takes longer than `timeoutMs`
 */
export async function awaitReady(
  address: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let last = "nothing answers";
  while (Date.now() < deadline) {
    const status = await statusOf(`${address}/readyz`, {});
    if (status === 200) return;
    if (status !== null) last = `it answers ${status}`;
    await delay(50, undefined, { signal });
  }
  throw new Error(`${address}/readyz is not ready after ${timeoutMs / 1000} s: ${last}.`);
}

/** Whether the API lets this token in. */
export async function isTokenAccepted(address: string, token: string): Promise<boolean> {
  const headers = { authorization: `Bearer ${token}` };
  return (await statusOf(`${address}/api/v1/platforms`, headers)) === 200;
}

async function statusOf(url: string, headers: Record<string, string>): Promise<number | null> {
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.status;
  } catch {
    return null;
  }
}
