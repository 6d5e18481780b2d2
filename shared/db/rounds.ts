import type { Db } from "./client.ts";

/**
 * Does many small things in few statements: what is asked for while a round is under way is done together in the next one. There is no
 * timer, so under light load nothing waits. Where a round fails, its items are tried alone, so that one of them cannot
 * fail the others.
 * @param run gets at most `maxItems`, gives one result an item in the same order
 */
export function inRounds<Item, Result>(
  maxItems: number,
  run: (items: readonly Item[]) => Promise<readonly Result[]>,
): (item: Item) => Promise<Result> {
  const waiting: Waiting<Item, Result>[] = [];
  let isRunning = false;

  async function runAll(): Promise<void> {
    while (waiting.length > 0) {
      const round = waiting.splice(0, maxItems);
      await settle(round, run);
    }
    isRunning = false;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (isRunning) return;
      isRunning = true;
      // Not at once: callers that were woken by the same event join the same round.
      setImmediate(() => void runAll());
    });
}

/**
 * As `inRounds`, for what all callers with the same pool may share. In a transaction an item goes alone, and on its connection: it must
 * see what the transaction has written, and others must not.
 */
export function inRoundsOf<Item, Result>(
  maxItems: number,
  run: (db: Db, items: readonly Item[]) => Promise<readonly Result[]>,
): (db: Db, item: Item) => Promise<Result> {
  const ofPools = new WeakMap<Db, (item: Item) => Promise<Result>>();
  return (db, item) => {
    if (db.isTransaction) return inRounds(1, (items: readonly Item[]) => run(db, items))(item);
    const known = ofPools.get(db);
    if (known) return known(item);
    const ask = inRounds(maxItems, (items: readonly Item[]) => run(db, items));
    ofPools.set(db, ask);
    return ask(item);
  };
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

async function settle<Item, Result>(
  round: readonly Waiting<Item, Result>[],
  run: (items: readonly Item[]) => Promise<readonly Result[]>,
): Promise<void> {
  try {
    const results = await run(round.map(({ item }) => item));
    if (results.length !== round.length) throw new Error("A round gave another number of results.");
    results.forEach((result, index) => round[index]?.resolve(result));
  } catch (error) {
    const [first, ...others] = round;
    if (!first) return;
    if (others.length === 0) return first.reject(error);
    for (const one of round) await settle([one], run);
  }
}
