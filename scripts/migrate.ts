import { migrate } from "../shared/db/migrate.ts";
import { checkDatabase } from "../shared/stores.ts";
import { reachDatabase } from "./database-url.ts";
import { explain } from "./launch/explain.ts";

/** Brings the schema up to date; says what it did. */
async function main(): Promise<void> {
  const database = await reachDatabase(process.env);
  try {
    await checkDatabase(database.url);
    const applied = await migrate(database.url);
    for (const name of applied) console.log(`applied ${name}`);
    if (applied.length === 0) console.log("The schema is up to date.");
  } finally {
    await database.leave();
  }
}

try {
  await main();
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
// The launcher's channel would keep the process alive.
if (process.connected) process.disconnect();
