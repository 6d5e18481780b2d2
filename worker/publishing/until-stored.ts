import { errorCode } from "../../shared/connectors/http.ts";

const PAUSE_MS = 250;

/** Longer than a restart of PostgreSQL takes; after it the platform is asked instead. */
const KEEP_TRYING_MS = 60_000;

/** Classes of SQLSTATE that pass by themselves: connection, resources, operator intervention, conflict. */
const PASSING = /^(08|53|57|40)/;

/** Stores what the platform has answered, however long PostgreSQL is away: an answer that is lost must be looked for. */
export async function untilStored<T>(store: () => Promise<T>): Promise<T> {
  const end = performance.now() + KEEP_TRYING_MS;
  for (;;) {
    try {
      return await store();
    } catch (error) {
      if (!mayPass(error) || performance.now() > end) throw error;
    }
    await new Promise((resolve) => {
      setTimeout(resolve, PAUSE_MS);
    });
  }
}

/** Whether PostgreSQL, or the way to it, is to blame: its codes are the only ones of five places. */
export function isOfStore(error: unknown): boolean {
  return mayPass(error) || /^[0-9A-Z]{5}$/.test(errorCode(error) ?? "");
}

function mayPass(error: unknown): boolean {
  const code = errorCode(error);
  if (code === null) return error instanceof Error && /timeout|terminated/i.test(error.message);
  return /^E[A-Z]+$/.test(code) || PASSING.test(code);
}
