import { parseArgs } from "node:util";
import { v7 as uuidv7 } from "uuid";
import * as z from "zod";
import { createToken } from "../shared/commands/create-token.ts";
import { inTransaction, openDb, type Db, type Tx } from "../shared/db/client.ts";
import { readSchemaState } from "../shared/db/schema-state.ts";
import { insertWorkspace, listWorkspaces } from "../shared/db/workspaces.ts";
import { SCOPES } from "../shared/domain/permission.ts";
import { StoreError } from "../shared/store-error.ts";
import { checkDatabase } from "../shared/stores.ts";
import { reachDatabase } from "./database-url.ts";

const USAGE = `Usage: npm run token -- --name <who uses it> --scope ${SCOPES.join("|")} [--workspace <name or id>] [--days <n>]`;

const Options = z.object({
  name: z.string().trim().min(1).max(200),
  scope: z.enum(SCOPES),
  workspace: z.string().trim().min(1).max(200).optional(),
  days: z.coerce.number().int().min(1).max(3_650).optional(),
});

/** A sentence for whoever typed the command. */
class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Makes a token and prints it, once: only its hash is kept. */
async function main(): Promise<void> {
  const options = readOptions();
  const database = await reachDatabase(process.env);
  const db = openDb(database.url, { name: "postwell-token" });
  try {
    await checkDatabase(database.url);
    if ((await readSchemaState(db)) !== "current") {
      throw new UsageError(
        "This database is not of this version. Run `npm start` or `npm run migrate` first.",
      );
    }
    console.log(await makeToken(db, options));
  } finally {
    await db.destroy();
    await database.leave();
  }
}

function makeToken(db: Db, options: z.output<typeof Options>): Promise<string> {
  return inTransaction(db, async (tx) => {
    const workspaceId = await findWorkspace(tx, options.workspace);
    const { name, scope, days } = options;
    const made = await createToken(
      { db: tx },
      { workspaceId, name, scope, lastsDays: days ?? null },
    );
    return made.token;
  });
}

/** Without a name: the only one there is. A name that is not known yet makes a workspace. */
async function findWorkspace(tx: Tx, wanted: string | undefined): Promise<string> {
  const known = await listWorkspaces(tx);
  const [only, ...others] = known;
  if (wanted === undefined && only && others.length === 0) return only.id;
  if (wanted === undefined && only) {
    throw new UsageError(
      `There are several workspaces; say --workspace with one of: ${known.map(({ name }) => name).join(", ")}.`,
    );
  }
  const name = wanted ?? "Postwell";
  const found = known.find((workspace) => workspace.id === name || workspace.name === name);
  if (found) return found.id;
  const id = uuidv7();
  await insertWorkspace(tx, { id, name });
  console.error(`Made the workspace ${name}.`);
  return id;
}

function readOptions(): z.output<typeof Options> {
  const text = { type: "string" } as const;
  try {
    const { values } = parseArgs({
      options: { name: text, scope: text, workspace: text, days: text },
    });
    const parsed = Options.safeParse(values);
    if (parsed.success) return parsed.data;
    const wrong = parsed.error.issues.map((issue) => `--${issue.path.join(".")}: ${issue.message}`);
    throw new UsageError(`${wrong.join("\n")}\n${USAGE}`);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

try {
  await main();
} catch (error) {
  const isForPeople = error instanceof UsageError || error instanceof StoreError;
  console.error(isForPeople ? error.message : error);
  process.exitCode = 1;
}
// The launcher's channel would keep the process alive.
if (process.connected) process.disconnect();
