import { FAILURES, type FailureKind } from "./failure.ts";

/**
 * Why a channel publishes nothing for a while, although nothing has failed: a closed list. The sentences are what a person
 * reads.
 */
export const WAIT_REASONS = {
  platform_limit: {
    title: "The platform asked us to wait",
    detail: "The channel goes on when the platform's limit resets.",
    missed: "It waited because the platform had asked for a pause.",
  },
  channel_budget: {
    title: "The channel's budget is used up",
    detail:
      "The platform allows so many posts in a while on one account. The channel goes on with the next window.",
    missed: "It waited because the channel had used up what the platform allows one account.",
  },
  app_budget: {
    title: "The installation's budget is used up",
    detail:
      "The platform allows so many posts in a while for all accounts together. All go on with the next window.",
    missed: "It waited because all channels together had used up what the platform allows.",
  },
  catching_up: {
    title: "Late posts go out one by one",
    detail:
      "After an outage there is a pause between late posts, so that followers are not flooded.",
    missed: "It waited for its turn among other late posts.",
  },
  outage: {
    title: "The platform does not answer",
    detail:
      "Nothing is sent until it does. Postwell tries again by itself, and costs no post a try.",
    missed: "It waited because the platform did not answer.",
  },
  recovering: {
    title: "The platform has just come back",
    detail: "Its channels go on one after the other, those with the oldest posts first.",
    missed: "It waited for its turn after an outage of the platform.",
  },
  needs_person: {
    title: "The channel needs a person",
    detail: "Its posts go on by themselves when it is well again in time.",
    missed: "It waited because its channel needed a person, and nobody came in time.",
  },
} as const satisfies Record<string, Record<"title" | "detail" | "missed", string>>;

export type WaitReason = keyof typeof WAIT_REASONS;

/** What a delivery waits for after a failure that passes by itself; null after others. */
export function waitAfter(kind: FailureKind): WaitReason | null {
  switch (FAILURES[kind].retry) {
    case "when_told":
      return "platform_limit";
    case "back_off":
      return "outage";
    default:
      return null;
  }
}
