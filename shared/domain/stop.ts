import type { Attention } from "./channel.ts";
import { type DeliveryError, type DeliveryState } from "./delivery.ts";
import { FAILURES } from "./failure.ts";
import { WAIT_REASONS, type WaitReason } from "./wait.ts";

/** Why a delivery did not go out, as people read it. */
export interface Explanation {
  readonly kind: string;
  readonly title: string;
  readonly detail: string;
  /** The platform's own words; null where it said none. */
  readonly platformMessage: string | null;
  readonly nextStep: string;
}

/** States in which a delivery stands although nothing failed. */
const STOPS: Partial<Record<DeliveryState, Omit<Explanation, "kind" | "platformMessage">>> = {
  missed: {
    title: "Its time passed before it could go out",
    detail: "Nothing was published. It would have come later than the post allows.",
    nextStep: "If it is still of use, retry it: it gets a new time.",
  },
  expired: {
    title: "It was not approved in time",
    detail: "Nothing was published.",
    nextStep: "Have it approved, then schedule it again.",
  },
  held: {
    title: "It was stopped by a hold",
    detail: "Nothing was published.",
    nextStep: "When the hold has ended, retry it or cancel it.",
  },
};

/** Of a thread that is half out, and that nothing goes on with by itself. */
const HALF_OUT = {
  held: {
    title: "It was stopped by a hold",
    detail: "Some parts of the thread are out, the others are not.",
    nextStep:
      "When the hold has ended, go on with the missing parts. Or leave it as it is, or take away what is out.",
  },
  partial: {
    title: "Only a part of the thread is out",
    detail: "The other parts were not published.",
    nextStep: "Go on with the missing parts, leave it as it is, or take away what is out.",
  },
};

/** Where a delivery stands. */
export interface Standing {
  readonly state: DeliveryState;
  /** Half out, a hold stood in the way of the rest. */
  readonly isHalfHeld: boolean;
  /** Null where nobody wants it gone. */
  readonly removalWishedAt: Date | null;
  readonly error: DeliveryError | null;
  /** When Postwell goes on with it by itself, waits of its channel included; null where a person decides or all is done. */
  readonly nextAt: Date | null;
  readonly latestAt: Date;
  /** Why its channel needs a person; null where it does not wait for that. */
  readonly attention: Attention | null;
  /** What it waited for when its latest time passed; null where it did not. */
  readonly waitedFor: WaitReason | null;
}

/** What a person is told about a delivery that stands; null where there is nothing to explain. */
export function explain(standing: Standing): Explanation | null {
  const { state, error, attention, waitedFor } = standing;
  if (attention !== null) return explainWait(attention);
  const stop = STOPS[state];
  if (stop) {
    const because = state === "missed" && waitedFor ? ` ${WAIT_REASONS[waitedFor].missed}` : "";
    const platformMessage = error?.platformMessage ?? null;
    return { kind: state, ...stop, detail: stop.detail + because, platformMessage };
  }
  if (error === null) {
    if (!isHalfOut(standing)) return null;
    const kind = standing.isHalfHeld ? "held" : "partial";
    return { kind, ...HALF_OUT[kind], platformMessage: null };
  }
  const explanation = explainError(error);
  return { ...explanation, nextStep: goingOn(standing) ?? explanation.nextStep };
}

/** What Postwell does next by itself, so that nobody does it twice; null where it does nothing. */
function goingOn({ state, nextAt, latestAt }: Standing): string | null {
  if (nextAt === null) return null;
  const at = nextAt.toISOString();
  switch (state) {
    case "preparing":
    case "sending":
      return "Postwell tries again at this moment.";
    case "unknown":
      return `Postwell asks the platform by itself at ${at}, and sends nothing before it knows.`;
    case "scheduled":
      return nextAt > latestAt
        ? `It is missed at ${latestAt.toISOString()}, before it can be tried again. Give the post a later time, or allow it to be later.`
        : `Postwell tries again by itself at ${at}.`;
    default:
      return `Postwell goes on by itself at ${at}.`;
  }
}

function isHalfOut({ state, nextAt, removalWishedAt }: Standing): boolean {
  return state === "partial" && nextAt === null && removalWishedAt === null;
}

function explainWait({ kind, title, detail }: Attention): Explanation {
  const meaning = "Nothing is lost. It waits for its channel, until its latest time.";
  return { kind, title, detail: meaning, platformMessage: null, nextStep: detail };
}

export function explainError({ kind, platformMessage }: DeliveryError): Explanation {
  const { title, meaning, nextStep } = FAILURES[kind];
  return { kind, title, detail: meaning, platformMessage, nextStep };
}
