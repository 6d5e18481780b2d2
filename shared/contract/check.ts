import * as z from "zod";

export const CheckView = z.object({
  findings: z.array(
    z
      .object({
        rule: z.string().describe("Stable, such as `text.too_long`."),
        severity: z
          .enum(["error", "warning"])
          .describe("An error would be refused when the post is scheduled."),
        field: z.string().describe("As in the request, such as `parts.0.text`."),
        start: z.int().nullable().describe("In UTF-16 units; null for the whole field."),
        end: z.int().nullable(),
        because: z.string(),
        suggestion: z.string().nullable(),
      })
      // The channel's id and the counts come beside these.
      .loose(),
  ),
});
