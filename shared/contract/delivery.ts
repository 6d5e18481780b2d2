import * as z from "zod";
import { DELIVERY_STATES } from "../domain/delivery.ts";
import { FAILURES } from "../domain/failure.ts";
import { WhenInput } from "./when.ts";

export const DeliveryStateName = z.enum(DELIVERY_STATES);

const FailureKindName = z.enum(Object.keys(FAILURES));

/** A delivery as its post shows it. */
export const DeliverySummary = z.object({
  id: z.uuid(),
  channelId: z.uuid(),
  state: DeliveryStateName,
  dueAt: z.iso.datetime(),
});
