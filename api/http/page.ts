import * as z from "zod";
import { AppError } from "../../shared/errors.ts";

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

/** The query of every list. */
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
  cursor: z.string().max(500).optional().describe("`nextCursor` of the page before"),
});

/** @param Item a schema of the contract */
export function pageSchema<T extends z.ZodType>(Item: T) {
  return z.object({
    items: z.array(Item),
    nextCursor: z.string().nullable().describe("null on the last page"),
  });
}

/**
 * Where a page begins: the sort values of the last row of the page before, or null for the first page.
 * @param Key a tuple of what the list is sorted by, all of it text: `z.tuple([z.iso.datetime(), z.uuid()])`
 * @throws {AppError} invalid `request.bad_cursor`
 */
export function afterCursor<Key>(cursor: string | undefined, Key: z.ZodType<Key>): Key | null {
  if (cursor === undefined) return null;
  const parsed = Key.safeParse(decode(cursor));
  if (parsed.success) return parsed.data;
  const detail = "The cursor is not one that this list gave out. Begin without one.";
  throw new AppError("invalid", "request.bad_cursor", detail, [
    { path: "cursor", code: "request.bad_cursor", detail },
  ]);
}

/**
 * Cuts rows into a page.
 * @param rows up to `limit + 1` of them: the one too many tells that there is another page
 * @param keyOf the sort values of a row, in the order of the list's key
 */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  of: { keyOf: (row: Row) => readonly string[]; present: (row: Row) => Item },
): { items: Item[]; nextCursor: string | null } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const isLast = rows.length <= limit || last === undefined;
  return { items: page.map(of.present), nextCursor: isLast ? null : encode(of.keyOf(last)) };
}

function encode(key: readonly string[]): string {
  return Buffer.from(JSON.stringify(key)).toString("base64url");
}

function decode(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    return null;
  }
}
