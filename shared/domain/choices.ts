import type { DeliveryState } from "./delivery.ts";

/** Something that a person may decide about a delivery, and what they risk by it. */
export interface Choice {
  /** What is sent to the API: to `/resolve`, `/retry` or `/remove`, or to the `/cancel` of the post. */
  readonly action: Action;
  readonly title: string;
  readonly risk: string;
}

export const ACTIONS = [
  "published",
  "send_again",
  "drop",
  "go_on",
  "stop_here",
  "remove",
  "retry",
  "cancel",
] as const;

type Action = (typeof ACTIONS)[number];

const remove: Choice = {
  action: "remove",
  title: "Take away what is out",
  risk: "It cannot be brought back, and replies and counts go with it. Whoever has seen or copied it, has it.",
};

const cancel: Choice = {
  action: "cancel",
  title: "Cancel the post",
  risk: "It does not go out, and neither does it on its other channels where it has not yet.",
};

/** What a person may do with a delivery in a state, and what each of it risks. A state that is not here asks nothing of anybody. */
const CHOICES: Partial<Record<DeliveryState, readonly Choice[]>> = {
  unknown: [
    {
      action: "published",
      title: "It is there: keep its address",
      risk: "If you are wrong, it never goes out, and its engagement cannot be read.",
    },
    {
      action: "send_again",
      title: "It is not there: send it again",
      risk: "If it was there after all, the public sees it twice.",
    },
    {
      action: "drop",
      title: "It is not there: leave it at that",
      risk: "If it was there after all, it stays public without a record here.",
    },
  ],
  partial: [
    {
      action: "go_on",
      title: "Go on with the missing parts, at once or at a time",
      risk: "They come later than the others: readers may meet them alone, without what came before.",
    },
    {
      action: "stop_here",
      title: "Leave it as it is",
      risk: "The public sees a thread without its end. The missing parts cannot be added later.",
    },
    remove,
  ],
  failed: [
    {
      action: "retry",
      title: "Try again, at once or at a time",
      risk: "Unless the cause is settled, it fails again. It comes later than it was planned.",
    },
    cancel,
  ],
  missed: [
    {
      action: "retry",
      title: "Publish it all the same, at once or at a time",
      risk: "It comes later than it was planned: what it says of times may be wrong by then.",
    },
    cancel,
  ],
  held: [
    {
      action: "retry",
      title: "Publish it, at once or at a time",
      risk: "What the hold was for may still be true. While a hold is active, it is held again.",
    },
    cancel,
  ],
  expired: [
    {
      action: "retry",
      title: "Publish it, at once or at a time",
      risk: "It was not approved in time: approvals may be asked for again.",
    },
    cancel,
  ],
  published: [remove],
};

/** What an action of `resolve` risks, for its description. */
export function riskOf(action: "go_on" | "stop_here" | "remove"): string {
  return CHOICES.partial?.find((choice) => choice.action === action)?.risk ?? "";
}

/** Where the removal of a delivery stands. */
export type RemovalProgress = "none" | "under_way" | "waits_for_person";

/** What a person may decide now. Once a removal is wished for, nothing but the removal is left. */
export function choicesFor(delivery: {
  readonly state: DeliveryState;
  readonly removal: RemovalProgress;
  /** Whether its platform lets posts be taken away. */
  readonly canRemove: boolean;
}): readonly Choice[] {
  const { state, removal, canRemove } = delivery;
  const choices = (CHOICES[state] ?? []).filter(({ action }) => action !== "remove" || canRemove);
  if (removal === "none") return choices;
  return removal === "under_way" ? [] : choices.filter(({ action }) => action === "remove");
}
