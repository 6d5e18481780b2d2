import { checkReceipts } from "./check-receipts.ts";
import type { Job } from "./job.ts";
import { keepChannel } from "./keep-channel.ts";
import { preflightChannel } from "./preflight-channel.ts";
import { publishChannel } from "./publish-channel.ts";
import { readEngagement } from "./read-engagement.ts";
import { removeParts } from "./remove-parts.ts";

/** Every job there is. A worker refuses to start unless each has one handler. */
export const JOBS: readonly Job[] = [
  keepChannel,
  publishChannel,
  readEngagement,
  checkReceipts,
  removeParts,
  preflightChannel,
];
