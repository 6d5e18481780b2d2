import type { ChannelAccess } from "../../shared/db/sign-ins.ts";
import type { OutgoingPart, PublishedPart } from "../../shared/connectors/connector.ts";
import type { DueDelivery, StoredReceipt } from "../../shared/db/deliveries.ts";
import type { PlatformHost } from "../../shared/db/platform-health.ts";

/** The channel's side of a claimed delivery. */
export function accessOf(delivery: DueDelivery): ChannelAccess {
  const { channelId, platform, sealedCredentials, credentialsVersion } = delivery;
  return { id: channelId, platform, sealedCredentials, credentialsVersion };
}

/** Whose limits and outages concern it. */
export function whereOf({ platform, host }: DueDelivery): PlatformHost {
  return { platform, host: host ?? "" };
}

/** Where in its thread a part stands; null for the first part. */
export function threadBefore(
  receipts: readonly StoredReceipt[],
  part: number,
): OutgoingPart["thread"] {
  const root = receipts.find((receipt) => receipt.part === 0);
  const parent = receipts.find((receipt) => receipt.part === part - 1);
  return root && parent ? { root: publishedPart(root), parent: publishedPart(parent) } : null;
}

function publishedPart(receipt: StoredReceipt): PublishedPart {
  const { remoteId, permalink, reference } = receipt;
  return { remoteId, permalink, publishedAt: new Date(receipt.publishedAt), reference };
}
