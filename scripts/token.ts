import { openDb } from "../shared/db/client.ts";
import { readSchemaState } from "../shared/db/schema-state.ts";
import { checkDatabase } from "../shared/stores.ts";
import { reachDatabase } from "./database-url.ts";
import { explain } from "./launch/explain.ts";
import { fulfil } from "./token/fulfil.ts";
import { readWish, USAGE, UsageError } from "./token/wish.ts";

/** Makes, lists and revokes tokens. A made one is printed once: only its hash is kept. */
async function main(args: readonly string[]): Promise<void> {
  const wish = readWish(args);
  if (wish.kind === "help") return console.log(USAGE);
  const database = await reachDatabase(process.env);
  const db = openDb(database.url, { name: "postwell-token" });
  try {
    await checkDatabase(database.url);
    if ((await readSchemaState(db)) !== "current") {
      throw new UsageError(
        "This database is not of this version. Run `npm start` or `npm run migrate` first.",
      );
    }
    console.log(await fulfil(db, wish));
  } finally {
    await db.destroy();
    await database.leave();
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof UsageError ? error.message : explain(error));
  process.exitCode = 1;
}
// The launcher's channel would keep the process alive.
if (process.connected) process.disconnect();
