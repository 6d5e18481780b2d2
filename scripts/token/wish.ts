import { parseArgs } from "node:util";
import * as z from "zod";
import { SCOPES } from "../../shared/domain/permission.ts";

export const USAGE = `Usage:
  npm run token -- --name <who uses it> --scope ${SCOPES.join("|")} [--workspace <name or id>] [--days <n>]
      makes a token and prints it, once; --create-workspace makes a workspace of a new name, too
  npm run token -- list [--workspace <name or id>]
  npm run token -- revoke <id>`;

const DAYS = "must be a whole number from 1 to 3650";
const Name = z
  .string({ error: "is needed: say who uses the token" })
  .trim()
  .min(1, "must not be empty")
  .max(200, "must have 200 characters at most");

const NewToken = z.object({
  name: Name,
  scope: z.enum(SCOPES, { error: `must be ${SCOPES.join(" or ")}` }),
  workspace: Name.optional(),
  createWorkspace: z.boolean().default(false),
  days: z.coerce.number({ error: DAYS }).int(DAYS).min(1, DAYS).max(3_650, DAYS).optional(),
});

/** What somebody wants of the command. */
export type Wish =
  | { readonly kind: "help" }
  | { readonly kind: "list"; readonly workspace: string | undefined }
  | { readonly kind: "revoke"; readonly id: string }
  | ({ readonly kind: "make" } & z.output<typeof NewToken>);

/** A sentence for whoever typed the command. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** @throws {UsageError} with the usage, for what cannot be understood */
export function readWish(args: readonly string[]): Wish {
  const { values, positionals } = parsed(args);
  const [verb, ...more] = positionals;
  if (values.help === true) return { kind: "help" };
  if (verb === "list" && more.length === 0) return { kind: "list", workspace: values.workspace };
  if (verb === "revoke" && more.length === 1) return { kind: "revoke", id: String(more[0]) };
  if (verb !== undefined) throw notUnderstood(`"${positionals.join(" ")}" is not understood.`);
  const wanted = NewToken.safeParse({ ...values, createWorkspace: values["create-workspace"] });
  if (wanted.success) return { kind: "make", ...wanted.data };
  const wrong = new Map(wanted.error.issues.map(({ path, message }) => [path.join("."), message]));
  throw notUnderstood([...wrong].map(([name, message]) => `--${name} ${message}.`).join("\n"));
}

function parsed(args: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        name: text,
        scope: text,
        workspace: text,
        days: text,
        "create-workspace": flag,
        help: { ...flag, short: "h" },
      },
    });
  } catch (error) {
    // Its second sentence is about file names that look like options.
    const [first = ""] = (error instanceof Error ? error.message : String(error)).split(". ");
    throw notUnderstood(first.endsWith(".") ? first : `${first}.`);
  }
}

function notUnderstood(sentence: string): UsageError {
  return new UsageError(`${sentence}\n${USAGE}`);
}
