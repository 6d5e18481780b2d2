import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { v7 as uuidv7 } from "uuid";
import { readConfig } from "../../shared/config.ts";
import { openContext, type Actor, type OpenContext } from "../../shared/context.ts";
import type { Scope } from "../../shared/domain/permission.ts";
import { createLogger } from "../../shared/logger.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";

/** A real context on a database of its own. */
export interface TestContext extends TestDatabase, OpenContext {}

/** Sealing needs a key; this one seals nothing but synthetic credentials. */
const TEST_KEY = Buffer.alloc(32, 7).toString("base64");

/** @param settings environment variables beside the ones that every test needs */
export async function createTestContext(
  settings: Readonly<Record<string, string>> = {},
): Promise<TestContext> {
  const database = await createTestDatabase();
  const dataDir = await mkdtemp(path.join(os.tmpdir(), "postwell-test-"));
  const config = readConfig({
    DATABASE_URL: database.url,
    POSTWELL_SECRET_KEY: TEST_KEY,
    POSTWELL_DATA_DIR: dataDir,
    POSTWELL_ALLOW_PRIVATE_HOSTS: "127.0.0.1",
    ...settings,
  });
  const opened = await openContext(config, createLogger("test", "silent"), "test");
  await opened.syncClock();
  return {
    ...database,
    context: opened.context,
    syncClock: () => opened.syncClock(),
    async setClock(instant, options) {
      await database.setClock(instant, options);
      await opened.syncClock();
    },
    async close() {
      await opened.close();
      await database.close();
      await rm(dataDir, { recursive: true });
    },
  };
}

/** Somebody with a token of a new workspace, or of a given one. */
export async function anActor(
  { db }: Pick<TestDatabase, "db">,
  { scope = "admin", workspaceId }: { scope?: Scope; workspaceId?: string } = {},
): Promise<Actor> {
  const workspace = workspaceId ?? uuidv7();
  if (workspaceId === undefined) {
    await db.insertInto("workspaces").values({ id: workspace, name: "Heart Center" }).execute();
  }
  const tokenId = uuidv7();
  const tokenHash = Buffer.from(tokenId);
  await db
    .insertInto("apiTokens")
    .values({ id: tokenId, workspaceId: workspace, name: "Test", scope, tokenHash })
    .execute();
  return { workspaceId: workspace, tokenId, scope };
}
