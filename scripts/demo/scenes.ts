import type { Fault } from "../../shared/connectors/simulator.ts";

/** What goes wrong. */
export type Trouble =
  /** The platform misbehaves at the next request that the fault concerns, once each. */
  | { readonly kind: "faults"; readonly faults: readonly Fault[] }
  /** The platform ends the account's sign-in. */
  | { readonly kind: "sign_out"; readonly forGood: boolean }
  /** An admin reconnects the channel through the API. */
  | { readonly kind: "sign_in" }
  /** The post becomes public, the answer does not come, and the worker that waits for it is killed. */
  | { readonly kind: "kill_worker" };

/** One trouble, at its place in the plan. */
export interface Scene {
  /** The delivery that it concerns: the plan's id of the post, and the channel. */
  readonly post: string;
  readonly channel: string;
  /** When, from the delivery's own time. */
  readonly minutes: number;
  readonly says: string;
  readonly trouble: Trouble;
  /** What the audience wants to know afterwards. */
  readonly tells: "outcome" | "reading" | "read_back" | "nothing";
}

const SANDBOX = "Heart Center (sandbox)";
const X = "Heart Center (X)";
const MASTODON = "Heart Center (Mastodon)";
const BLUESKY = "Heart Center (Bluesky)";

/** Everything that goes wrong, in any order. Which trouble meets which post never changes from run to run. */
export const SCENES: readonly Scene[] = [
  fault(SANDBOX, "ahm27-003", "answers 503 and publishes nothing", "commit_unavailable"),
  fault(MASTODON, "ahm27-004", "answers 429: wait 5 minutes", "commit_rate_limited"),
  fault(
    X,
    "ahm27-005",
    "publishes, cuts the line, and shows the post only later",
    "commit_reset_after_success",
    "read_lags",
  ),
  fault(BLUESKY, "ahm27-006", "publishes and answers 500", "commit_unavailable_after_success"),
  fault(MASTODON, "ahm27-007", "answers 5xx to an upload", "upload_unavailable"),
  fault(
    MASTODON,
    "ahm27-010",
    "publishes and answers with a web page",
    "commit_html_after_success",
  ),
  fault(X, "ahm27-012", "takes its time to process an image", "upload_processing"),
  {
    ...scene(X, "ahm27-014", "does not accept the access token any more"),
    trouble: { kind: "sign_out", forGood: false },
  },
  fault(
    X,
    "ahm27-016",
    "answers 429: wait 15 minutes, longer than the post allows",
    "commit_rate_limited",
  ),
  fault(MASTODON, "ahm27-019", "publishes and never answers", "commit_hang_after_success"),
  fault(BLUESKY, "ahm27-022", "refuses the text", "commit_content_rejected"),
  fault(SANDBOX, "ahm27-025", "cuts the connection and publishes nothing", "commit_reset_before"),
  {
    ...scene(X, "ahm27-034", "publishes, and the worker is killed before it hears of it"),
    trouble: { kind: "kill_worker" },
  },
  {
    ...scene(MASTODON, "ahm27-040", "ends the sign-in for good"),
    minutes: -40,
    trouble: { kind: "sign_out", forGood: true },
  },
  {
    ...scene(MASTODON, "ahm27-042", "is connected again by an admin, with a fresh token"),
    minutes: 40,
    trouble: { kind: "sign_in" },
    tells: "nothing",
  },
  {
    ...fault(X, "ahm27-050", "reports only some metrics at the first reading", "metrics_partial"),
    // Others who read posts have been there by then.
    minutes: 14,
    tells: "reading",
  },
  {
    ...fault(X, "ahm27-051", "shows other words than it was sent", "read_altered"),
    // Before it is read back after a day.
    minutes: 24 * 60 - 10,
    tells: "read_back",
  },
  {
    ...scene(BLUESKY, "ahm27-058", "does not accept the session any more"),
    trouble: { kind: "sign_out", forGood: false },
  },
  fault(X, "ahm27-065", "answers 503 and publishes nothing", "commit_unavailable"),
  fault(X, "ahm27-074", "answers 503 to an upload", "upload_unavailable"),
];

/** Whether somebody changes a published post in one of the scenes. */
export function isChangedBy({ trouble }: Scene): boolean {
  return trouble.kind === "faults" && trouble.faults.includes("read_altered");
}

function fault(channel: string, post: string, says: string, ...faults: Fault[]): Scene {
  return { ...scene(channel, post, says), trouble: { kind: "faults", faults } };
}

/** A minute ahead of the post, so that nothing else comes in between. */
function scene(channel: string, post: string, says: string): Omit<Scene, "trouble"> {
  return { channel, post, minutes: -1, says, tells: "outcome" };
}
