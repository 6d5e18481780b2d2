import { setTimeout as delay } from "node:timers/promises";
import type { PrivateStore } from "../stores/private-store.ts";
import { inspectProcess } from "../stores/processes.ts";

/** A private store that is started again when it ends by itself. */
export interface KeptStore {
  /** Ends it for good; repeatable. */
  stop(): Promise<void>;
}

export interface StoreKeeping {
  /** For sentences: "The private PostgreSQL". */
  readonly name: string;
  /** Starts it as it was; null where that has become impossible. */
  readonly again: () => Promise<PrivateStore | null>;
  readonly say: (line: string) => void;
  /** It is away, and stays away. Told one sentence with the remedy, once. */
  readonly onLoss: (error: Error) => void;
}

const LOOK_EVERY_MS = 500;
/** Whoever ends sooner than this after its start, as often as that in a row, would go on doing so. */
const STEADY_MS = 30_000;
const MOST_SHORT_LIVES = 3;
/** For a start that is under way when the end comes: the next launcher adopts a server that is left behind by it. */
const LEAVE_MS = 3_000;

/** Looks after a store that runs. Its process may be another launcher's child, so it is looked at, not waited for. */
export function keepStore(first: PrivateStore, keeping: StoreKeeping): KeptStore {
  const end = new AbortController();
  let store = first;

  const watching = watch().catch((error: unknown) => {
    if (!end.signal.aborted) keeping.onLoss(asError(error));
  });

  async function watch(): Promise<void> {
    let shortLives = 0;
    while (!end.signal.aborted) {
      const bornMs = performance.now();
      await endOf(store.pid, end.signal);
      shortLives = performance.now() - bornMs < STEADY_MS ? shortLives + 1 : 0;
      if (shortLives > MOST_SHORT_LIVES) {
        throw new Error(
          `${keeping.name} ended ${shortLives} times soon after its start. Its log in the data folder says why; mend that and start again.`,
        );
      }
      store = await startAgain(store.url, keeping);
    }
  }

  return {
    stop: async () => {
      end.abort();
      await Promise.race([watching, delay(LEAVE_MS, undefined, { ref: false })]);
      await store.stop();
    },
  };
}

/** @throws {Error} that says what keeps it away */
async function startAgain(url: string, { name, again, say }: StoreKeeping): Promise<PrivateStore> {
  const startMs = performance.now();
  const store = await again();
  if (store === null) throw new Error(`${name} has ended, and its program is gone.`);
  if (store.url !== url) {
    await store.stop();
    throw new Error(
      `${name} has ended, and another program has taken its port (${new URL(url).port}). Start Postwell again: it then takes another one.`,
    );
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  say(`${name} had ended; it runs again, after ${seconds} s. Nothing is lost.`);
  return store;
}

/** Resolves when the process is gone. @throws when the signal is aborted */
async function endOf(pid: number, signal: AbortSignal): Promise<void> {
  const born = inspectProcess(pid);
  const isAlive = () => born !== null && inspectProcess(pid)?.startedAt === born.startedAt;
  while (isAlive()) await delay(LOOK_EVERY_MS, undefined, { signal });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
