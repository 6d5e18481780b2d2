import * as z from "zod";

export const ImportForm = z.object({
  file: z
    .string()
    .meta({ format: "binary" })
    .describe(
      "CSV with commas, semicolons or tabs, in UTF-8; or in UTF-16 with a byte-order mark.",
    ),
});

export const ImportQuery = z.object({
  dryRun: z
    .enum(["true", "false"])
    .default("false")
    .describe("`true` checks everything and stores nothing."),
});

const ImportNote = z.object({
  row: z.int().describe("As a spreadsheet counts: the header is row 1."),
  column: z.string(),
  code: z.string(),
  detail: z.string(),
});

export const ImportView = z.object({
  rows: z.int().describe("Rows with something in them, without the header."),
  valid: z.int(),
  created: z.int().describe("Posts that were made; in a dry run, that would be."),
  existing: z.int().describe("Rows that an earlier import has made posts of."),
  errors: z.array(ImportNote),
  notices: z
    .array(ImportNote)
    .describe("What was decided for you, such as which of two equal local times was taken."),
});

export type ImportView = z.output<typeof ImportView>;
