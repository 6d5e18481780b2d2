import * as z from "zod";
import { NOTICES } from "../domain/notice.ts";

/** Narrows `GET /api/v1/notices`. */
export const NoticeFilter = z.object({
  unread: z
    .enum(["true", "false"])
    .transform((text) => text === "true")
    .optional()
    .describe("`true` for those alone that were not marked as read."),
});

export const NoticeView = z
  .object({
    id: z.uuid(),
    kind: z.enum(Object.keys(NOTICES)).describe("What it is about: the words before the dot."),
    title: z.string(),
    subjectId: z
      .uuid()
      .describe("Id of the channel or of the delivery: read it to see how it is now."),
    reason: z.string().nullable().describe("A kind of failure; null where `kind` says all."),
    addedAt: z.iso.datetime(),
    readAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "Notice" });

export type NoticeView = z.output<typeof NoticeView>;
