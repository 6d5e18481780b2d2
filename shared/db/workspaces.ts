import type { Db, Tx } from "./client.ts";

export interface StoredWorkspace {
  readonly id: string;
  readonly name: string;
}

export async function insertWorkspace(tx: Tx, workspace: StoredWorkspace): Promise<void> {
  await tx
    .insertInto("workspaces")
    .values({ ...workspace })
    .execute();
}

/** All of them, oldest first: for commands on the server, never for a request. */
export function listWorkspaces(db: Db): Promise<StoredWorkspace[]> {
  return db.selectFrom("workspaces").select(["id", "name"]).orderBy("createdAt").execute();
}
