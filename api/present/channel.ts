import type { ChannelView } from "../../shared/contract/channel.ts";
import type { StoredChannel } from "../../shared/db/channels.ts";

/** What may be seen of a channel: never its credentials. */
export function presentChannel(channel: StoredChannel): ChannelView {
  const { attention } = channel;
  return {
    id: channel.id,
    platform: channel.platform,
    name: channel.name,
    handle: channel.handle,
    remoteAccountId: channel.remoteAccountId,
    state: channel.state,
    attention: attention && {
      kind: attention.kind,
      title: attention.title,
      detail: attention.detail,
    },
    capabilities: channel.capabilities,
    signInEndsAt: channel.signInEndsAt?.toISOString() ?? null,
    signInRenews: channel.signInRenews,
    waitUntil: channel.waitUntil?.toISOString() ?? null,
    createdAt: channel.createdAt.toISOString(),
    updatedAt: channel.updatedAt.toISOString(),
  };
}
