import * as z from "zod";
import { DeliverySummary } from "./delivery.ts";
import { WhenInput } from "./when.ts";

export const SchedulePostRequest = z.strictObject({ at: WhenInput });

const Repeated = z
  .object({ taken: z.enum(["earlier", "later"]), otherDueAt: z.iso.datetime() })
  .describe("Present where the local time happens twice: which one was taken, and the other one.");

export const ScheduledPostView = z.object({
  id: z.uuid(),
  state: z.enum(["draft", "scheduled"]),
  version: z.int(),
  dueAt: z.iso.datetime(),
  local: z.string().nullable(),
  zone: z.string().nullable(),
  repeated: Repeated.optional(),
  deliveries: z.array(DeliverySummary),
});

export const CancelledPostView = z.object({
  id: z.uuid(),
  state: z.enum(["draft", "scheduled"]),
  version: z.int(),
  deliveries: z.array(DeliverySummary),
});

export type CancelledPostView = z.output<typeof CancelledPostView>;
export type ScheduledPostView = z.output<typeof ScheduledPostView>;
