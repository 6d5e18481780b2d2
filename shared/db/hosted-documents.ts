import { sql, type Selectable } from "kysely";
import { v7 as uuidv7 } from "uuid";
import type { Db } from "./client.ts";
import type { Tables } from "./tables.ts";

export type HostedDocument = Pick<Selectable<Tables["hostedDocuments"]>, (typeof COLUMNS)[number]>;

const COLUMNS = ["id", "kind", "addedAt", "document"] as const;

/** What a platform that Postwell hosts itself keeps: its documents, apart from those of other platforms. */
export function hostedDocuments(db: Db, platform: string) {
  async function find(id: string): Promise<HostedDocument | null> {
    const found = await db
      .selectFrom("hostedDocuments")
      .select(COLUMNS)
      .where("platform", "=", platform)
      .where("id", "=", id)
      .executeTakeFirst();
    return found ?? null;
  }

  return {
    find,
    /** Keeps a document under the given id, or a new one, unless the id is taken: then what is there stays. */
    async add(
      document: unknown,
      { kind, id = uuidv7() }: { kind: string; id?: string },
    ): Promise<HostedDocument & { isNew: boolean }> {
      const added = await db
        .insertInto("hostedDocuments")
        .values({ platform, id, kind, document: JSON.stringify(document) })
        .onConflict((conflict) => conflict.columns(["platform", "id"]).doNothing())
        .returning(COLUMNS)
        .executeTakeFirst();
      const kept = added ?? (await find(id));
      if (!kept) throw new Error(`The document ${id} was removed while it was added again.`);
      return { ...kept, isNew: added !== undefined };
    },
    /** Those of one kind, the one that was added last first. */
    async list(kind: string, limit: number): Promise<readonly HostedDocument[]> {
      return db
        .selectFrom("hostedDocuments")
        .select(COLUMNS)
        .where("platform", "=", platform)
        .where("kind", "=", kind)
        .orderBy("number", "desc")
        .limit(limit)
        .execute();
    },
    /** Changes what is given and leaves the rest. False where there is no such document. */
    async change(id: string, to: { kind?: string; document?: unknown }): Promise<boolean> {
      const { kind, document } = to;
      const { numUpdatedRows } = await db
        .updateTable("hostedDocuments")
        .set({
          ...(kind === undefined ? {} : { kind }),
          ...(document === undefined ? {} : { document: JSON.stringify(document) }),
        })
        .where("platform", "=", platform)
        .where("id", "=", id)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async remove(id: string): Promise<void> {
      await db
        .deleteFrom("hostedDocuments")
        .where("platform", "=", platform)
        .where("id", "=", id)
        .execute();
    },
    /** Removes those of one kind that were added longer ago than this. */
    async removeOlder(kind: string, ageMs: number): Promise<void> {
      await db
        .deleteFrom("hostedDocuments")
        .where("platform", "=", platform)
        .where("kind", "=", kind)
        .where("addedAt", "<", sql<Date>`clock() - ${ageMs} * interval '1 millisecond'`)
        .execute();
    },
  };
}
