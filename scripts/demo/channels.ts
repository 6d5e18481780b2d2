/** A channel that the example plan names, and where the demo connects it. */
export interface DemoChannel {
  /** As in the plan's column `channel`. */
  readonly name: string;
  /** Folder below `shared/connectors/`. */
  readonly platform: string;
}

/** All that the demo knows about platforms; everything else is read from their folders. */
export const CHANNELS: readonly DemoChannel[] = [
  { name: "Heart Center (sandbox)", platform: "sandbox" },
  { name: "Heart Center (X)", platform: "x" },
  { name: "Heart Center (Mastodon)", platform: "mastodon" },
  { name: "Heart Center (Bluesky)", platform: "bluesky" },
];

/** The account's name on every platform. */
export const ACCOUNT = "heart-center";
