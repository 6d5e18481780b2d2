import path from "node:path";
import { PROJECT_ROOT } from "../shared/project-root.ts";
import { ensureDatabase, startPostgres } from "./stores/postgres.ts";

/** A database for a short command. */
export interface ReachedDatabase {
  readonly url: string;
  /** Leaves everything as it was found. */
  leave(): Promise<void>;
}

/**
 * The database that DATABASE_URL names, else the private one of `npm start`, which is started for the while if it is not running.
 * @throws {Error} one sentence with what is wrong
 */
export async function reachDatabase(environment: NodeJS.ProcessEnv): Promise<ReachedDatabase> {
  const given = environment["DATABASE_URL"];
  if (given) return { url: given, leave: () => Promise.resolve() };
  const dataDir = path.resolve(PROJECT_ROOT, environment["POSTWELL_DATA_DIR"] || "data");
  const postgres = await startPostgres({ dir: path.join(dataDir, "postgres") });
  const leave = () => (postgres.wasRunning ? Promise.resolve() : postgres.stop());
  return { url: await ensureDatabase(postgres.url, "postwell"), leave };
}
