/**
 * Why a delivery did not go out: a closed list. `retry` is what Postwell does by itself, the sentences are what a
 * person reads. Nothing outside this file decides what a kind means.
 */
export const FAILURES = {
  rate_limited: {
    retry: "when_told",
    title: "The platform asked us to wait",
    meaning: "Nothing was published. The post goes out when the platform's limit resets.",
    nextStep:
      "Postwell goes on by itself while the post is in time. If it has stopped, retry it once the limit has reset.",
  },
  unavailable: {
    retry: "back_off",
    title: "The platform is not reachable",
    meaning: "Nothing was published. The platform did not accept the request.",
    nextStep:
      "Postwell tries again by itself while the post is in time. If it has stopped, check the platform's status page, then retry it.",
  },
  reauthorize: {
    retry: "channel",
    title: "The channel's sign-in has ended",
    meaning: "Nothing was published. The platform no longer accepts the stored sign-in.",
    nextStep: "Reconnect the channel. What is still in time then goes out by itself.",
  },
  permission: {
    retry: "channel",
    title: "The channel lacks a permission",
    meaning: "Nothing was published. The platform refused this account or app the right to post.",
    nextStep:
      "Reconnect the channel and grant every permission that is asked for. What is still in time then goes out by itself.",
  },
  billing: {
    retry: "channel",
    title: "The platform wants to be paid",
    meaning: "Nothing was published. The platform account of this installation has no credit left.",
    nextStep:
      "Ask whoever pays for the platform's API to add credit, then check the channel. What is still in time then goes out by itself.",
  },
  content_rejected: {
    retry: "person",
    title: "The platform refused the text",
    meaning: "Nothing was published. The platform does not accept this text.",
    nextStep: "Edit the post, then schedule it again.",
  },
  media_invalid: {
    retry: "person",
    title: "The platform refused an image",
    meaning: "Nothing was published. The platform does not accept an attached file.",
    nextStep: "Replace the image, then schedule the post again.",
  },
  duplicate: {
    retry: "person",
    title: "The platform says this was posted before",
    meaning: "The same text is already on this channel, or was a short while ago.",
    nextStep: "Look at the channel. Change the text if the post should appear again.",
  },
  policy_blocked: {
    retry: "person",
    title: "A rule of the platform forbids this post",
    meaning: "Nothing was published. The platform's policy does not allow it.",
    nextStep: "Read the platform's message below, change the post, then schedule it again.",
  },
  gone: {
    retry: "person",
    title: "The account or post is not there",
    meaning: "The platform does not know the account, or the post that this one answers.",
    nextStep: "Check that the account still exists, reconnect the channel, then retry.",
  },
  quota_exhausted: {
    retry: "when_told",
    title: "The platform's quota is used up",
    meaning: "Nothing was published. The platform accepts more posts once its quota is renewed.",
    nextStep:
      "Postwell goes on by itself while the post is in time. If it has stopped, retry it once the limit has reset.",
  },
  unknown_outcome: {
    retry: "reconcile",
    title: "We do not know whether this was published",
    meaning: "The platform's answer was lost. Sending again could publish the post twice.",
    nextStep: "Look at the channel, then say here whether the post is there.",
  },
  bug: {
    retry: "person",
    title: "Something in Postwell went wrong",
    meaning: "Nothing more was sent. The fault is ours, not the post's.",
    nextStep: "Retry once. If it happens again, report it with the request id from the log.",
  },
} as const satisfies Record<string, Failure>;

interface Failure {
  /** `channel`: waits until the channel can publish again; `person`: this post waits for somebody. */
  readonly retry: "when_told" | "back_off" | "reconcile" | "channel" | "person";
  readonly title: string;
  readonly meaning: string;
  readonly nextStep: string;
}

export type FailureKind = keyof typeof FAILURES;

/** Whether nothing that Postwell does by itself can help. */
export function needsPerson(kind: FailureKind): boolean {
  const { retry } = FAILURES[kind];
  return retry === "person" || retry === "channel";
}

/** Failures after which a delivery waits for its channel. */
export const WAITING_FOR_CHANNEL: readonly FailureKind[] = Object.entries(FAILURES).flatMap(
  ([kind, { retry }]) => (retry === "channel" && isKind(kind) ? [kind] : []),
);

function isKind(kind: string): kind is FailureKind {
  return kind in FAILURES;
}
