import type { Selectable } from "kysely";
import { v7 as uuidv7 } from "uuid";
import type { Db } from "./client.ts";
import type { Tables } from "./tables.ts";

export type HostedDocument = Pick<
  Selectable<Tables["hostedDocuments"]>,
  "id" | "addedAt" | "document"
>;

/** What a platform that Postwell hosts itself keeps: its documents, apart from those of other platforms. */
export function hostedDocuments(db: Db, platform: string) {
  const own = () =>
    db
      .selectFrom("hostedDocuments")
      .select(["id", "addedAt", "document"])
      .where("platform", "=", platform);
  return {
    async add(document: unknown): Promise<string> {
      const id = uuidv7();
      await db
        .insertInto("hostedDocuments")
        .values({ id, platform, document: JSON.stringify(document) })
        .execute();
      return id;
    },
    /** The newest, in the order in which they were added. */
    async list(limit: number): Promise<readonly HostedDocument[]> {
      const newest = await own()
        .orderBy("addedAt", "desc")
        .orderBy("id", "desc")
        .limit(limit)
        .execute();
      return newest.toReversed();
    },
    async find(id: string): Promise<HostedDocument | null> {
      return (await own().where("id", "=", id).executeTakeFirst()) ?? null;
    },
    async replace(id: string, document: unknown): Promise<void> {
      await db
        .updateTable("hostedDocuments")
        .set({ document: JSON.stringify(document) })
        .where("platform", "=", platform)
        .where("id", "=", id)
        .execute();
    },
    async remove(id: string): Promise<void> {
      await db
        .deleteFrom("hostedDocuments")
        .where("platform", "=", platform)
        .where("id", "=", id)
        .execute();
    },
  };
}
