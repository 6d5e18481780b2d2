/** What people are told without asking, and in which words. */
export const NOTICES = {
  "channel.needs_attention": "A channel cannot publish until somebody acts",
  "channel.sign_in_ends":
    "The sign-in of a channel ends soon and cannot be renewed without a person",
  "delivery.failed": "A post did not go out",
  "delivery.missed": "A post did not go out, because its time had passed",
  "delivery.held": "A post was stopped by a hold",
  "delivery.unknown": "It is not known whether a post went out",
  "delivery.partial": "Only a part of a thread went out",
  "delivery.expired": "A post was not approved in time",
  "delivery.removal_failed": "A post that was to be taken away is still public",
  "delivery.out_twice": "A part of a post is public twice: one of the two must be removed by hand",
  "delivery.out_after_all":
    "A post is public that counts as not published: look at its channel before it is sent again",
  "delivery.preflight_red": "A post will not go out unless somebody acts",
  "delivery.moved_by_zone_rules":
    "The rules of a time zone have changed, and a post's time with them",
} as const satisfies Record<string, string>;

export type NoticeKind = keyof typeof NOTICES;
