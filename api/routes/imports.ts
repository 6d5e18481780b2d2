import { Router } from "express";
import * as z from "zod";
import { importPosts } from "../../shared/commands/import-posts.ts";
import type { Context } from "../../shared/context.ts";
import { ImportForm, ImportQuery, ImportView } from "../../shared/contract/import.ts";
import { actorOf } from "../http/actor.ts";
import { readCsv } from "../http/csv.ts";
import { idempotent } from "../http/idempotent.ts";
import { parse } from "../http/parse.ts";
import { upload } from "../http/upload.ts";
import { serve, type Operation } from "../openapi/operation.ts";

const MAX_BYTES = 20_000_000;

const importRows: Operation = {
  method: "post",
  path: "/imports",
  action: "imports.write",
  summary: "Import posts from a CSV file",
  description: [
    "Columns: `id`, `channel`, `time`, `zone`, `text`, `parts`, `media`, `alt text`, `link`, `campaign`, `labels`, `sources`; the order does not matter, and only channel, time, zone and text must be there.",
    "`|` separates several channels, media, alt texts, labels and sources. A source is written `Title <https://…>`. `parts` holds the further parts of a thread, separated by lines of `---`; `2:cuff.png` in `media` belongs to the second part.",
    "Media are file names or ids of earlier uploads; of several files with one name the newest is taken. An alt text belongs to the medium: it is taken where the medium has none and no post shows it yet, and must be the same otherwise.",
    "A row with the `id` of an earlier row and the same content is passed over; without an `id`, the same row is. All rows are imported or none. With `dryRun=true` the errors come with status 200, otherwise as the problem `import.rejected`.",
  ].join("\n\n"),
  query: ImportQuery,
  body: ImportForm,
  bodyType: "multipart/form-data",
  answers: { 200: { description: "What was made, or would be", schema: ImportView } },
  problems: [
    "import.rejected",
    "import.too_many_rows",
    "import.empty",
    "import.workbook",
    "import.not_utf8",
    "import.broken_quotes",
    "import.too_large",
    "request.type_unsupported",
    "upload.file_missing",
    "upload.malformed",
  ],
};

export const importOperations = [importRows];

export function importRoutes(context: Context): Router {
  const routes = Router();

  serve(
    routes,
    importRows,
    upload({ maxBytes: MAX_BYTES, tooLarge: "import.too_large" }),
    idempotent(context, async (inner, req, res) => {
      const { dryRun } = parse(ImportQuery, req.query);
      parse(z.strictObject({}), { ...req.body });
      const table = readCsv(req.file?.buffer ?? Buffer.alloc(0));
      const isDryRun = dryRun === "true";
      return { status: 200, body: await importPosts(inner, actorOf(res), { table, isDryRun }) };
    }),
  );

  return routes;
}
