import { recordLateAnswer, type PublishedAnswer } from "../../shared/db/publications.ts";
import type { Work } from "../engine/handler.ts";
import { untilStored } from "./until-stored.ts";

/**
 * The platform has said that a part is out, but its delivery has moved on meanwhile: this worker was frozen, or the answer took
 * too long. What is public is never forgotten for that.
 */
export async function keepLateAnswer({ context }: Work, answer: PublishedAnswer): Promise<null> {
  const { deliveryId, part, remoteId } = answer;
  const proof = await untilStored(() => recordLateAnswer(context.db, answer));
  if (proof === "kept") context.log.warn({ deliveryId, part }, "a late answer was kept");
  if (proof === "second_copy")
    context.log.error({ deliveryId, part, remoteId }, "a part is public twice");
  if (proof === "out_after_all")
    context.log.error({ deliveryId, part, remoteId }, "a part is public that counts as not sent");
  return null;
}
