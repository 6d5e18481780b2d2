import { RawNode, type KyselyPlugin } from "kysely";
import * as z from "zod";
import type { Db } from "../../shared/db/client.ts";

/** What PostgreSQL means to do for a query. */
export interface QueryPlan {
  /** Of the indexes that it reads, each once. */
  readonly indexes: readonly string[];
  /** Tables that it reads whole. */
  readonly readWhole: readonly string[];
}

interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string | undefined;
  readonly "Index Name"?: string | undefined;
  readonly Plans?: readonly PlanNode[] | undefined;
}

const PlanNode: z.ZodType<PlanNode> = z.object({
  "Node Type": z.string(),
  "Relation Name": z.string().optional(),
  "Index Name": z.string().optional(),
  get Plans() {
    return z.array(PlanNode).optional();
  },
});

const Explained = z.tuple([z.object({ Plan: PlanNode })]);

/** Has a query function's only statement explained instead of run: it is given a database that answers without rows. */
export async function explain(db: Db, query: (db: Db) => Promise<unknown>): Promise<QueryPlan> {
  let answer: unknown = null;
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => RawNode.create(["explain (format json) ", ""], [node]),
    async transformResult({ result }) {
      answer = Object.values(result.rows[0] ?? {})[0];
      return { rows: [] };
    },
  };
  await query(db.withPlugin(plugin));
  return readPlan(answer);
}

/** Reads the answer to `explain (format json)`. */
export function readPlan(answer: unknown): QueryPlan {
  const [{ Plan }] = Explained.parse(answer);
  const nodes = allOf(Plan);
  const names = nodes.flatMap((node) => node["Index Name"] ?? []);
  const whole = nodes.filter((node) => node["Node Type"] === "Seq Scan");
  return {
    indexes: [...new Set(names)],
    readWhole: [...new Set(whole.flatMap((node) => node["Relation Name"] ?? []))],
  };
}

function allOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(allOf)];
}
