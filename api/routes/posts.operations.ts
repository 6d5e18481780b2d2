import { IdParams } from "../../shared/contract/ids.ts";
import {
  CreatePostRequest,
  EditPostRequest,
  PostFilter,
  PostView,
} from "../../shared/contract/post.ts";
import {
  CancelledPostView,
  ScheduledPostView,
  SchedulePostRequest,
} from "../../shared/contract/schedule.ts";
import { ETagHeader, IfMatchHeader } from "../http/etag.ts";
import { PageQuery, pageSchema } from "../http/page.ts";
import type { Operation } from "../openapi/operation.ts";

const CONTENT_PROBLEMS = [
  "part.empty",
  "post.stray_variant",
  "post.unknown_channel",
  "post.unknown_media",
];

/** What can be done with posts; the routes are registered from it. */
export const POSTS = {
  list: {
    method: "get",
    path: "/posts",
    action: "posts.read",
    summary: "List posts, newest first",
    query: PageQuery.extend(PostFilter.shape),
    answers: { 200: { description: "One page", schema: pageSchema(PostView) } },
    problems: ["request.bad_cursor"],
  },
  create: {
    method: "post",
    path: "/posts",
    action: "posts.write",
    summary: "Write a post",
    description:
      "It is a draft until it is scheduled. What the platform of one of its channels would refuse is refused at once; without channels it may be anything.",
    body: CreatePostRequest,
    answers: { 201: { description: "Stored", schema: PostView, headers: ETagHeader } },
    problems: [...CONTENT_PROBLEMS, "post.does_not_fit", "post.external_id_taken"],
  },
  read: {
    method: "get",
    path: "/posts/{id}",
    action: "posts.read",
    summary: "Read a post",
    params: IdParams,
    answers: { 200: { description: "The post", schema: PostView, headers: ETagHeader } },
    problems: ["post.missing"],
  },
  edit: {
    method: "patch",
    path: "/posts/{id}",
    action: "posts.write",
    summary: "Edit a post",
    description:
      "What is absent stays. Planned deliveries get the new words at once; what is out, or on its way, refuses the whole edit unless its own words stay the same. With `If-Match`, only that version is edited.",
    params: IdParams,
    headers: IfMatchHeader,
    body: EditPostRequest,
    answers: {
      200: { description: "The post as it is now", schema: PostView, headers: ETagHeader },
    },
    problems: [
      ...CONTENT_PROBLEMS,
      "post.missing",
      "post.changed",
      "post.does_not_fit",
      "post.no_channels",
      "post.publishing",
      "post.already_published",
      "post.time_in_past",
    ],
  },
  remove: {
    method: "delete",
    path: "/posts/{id}",
    action: "posts.write",
    summary: "Remove a post that was never public",
    description: "Its deliveries are cancelled, and its external id is free again.",
    params: IdParams,
    headers: IfMatchHeader,
    answers: { 204: { description: "Removed" } },
    problems: ["post.missing", "post.changed", "post.publishing", "post.already_published"],
  },
  schedule: {
    method: "post",
    path: "/posts/{id}/schedule",
    action: "posts.write",
    summary: "Give a post its time, or move it",
    description:
      "Concerns every channel on which nothing of it is public. A local time that a clock change skips is refused and both neighbours are offered; of one that is repeated, the earlier is taken unless you say otherwise. With `If-Match`, only that version is scheduled.",
    params: IdParams,
    headers: IfMatchHeader,
    body: SchedulePostRequest,
    answers: { 200: { description: "Planned", schema: ScheduledPostView, headers: ETagHeader } },
    problems: [
      "post.missing",
      "post.changed",
      "post.no_channels",
      "post.unknown_channel",
      "post.does_not_fit",
      "post.time_in_past",
      "post.publishing",
      "post.already_published",
      "schedule.unknown_zone",
      "schedule.bad_time",
      "schedule.time_skipped",
      "schedule.too_far",
    ],
  },
  cancel: {
    method: "post",
    path: "/posts/{id}/cancel",
    action: "posts.write",
    summary: "Take a post's time back",
    description:
      "Cancels every delivery of which nothing has left: all of them or none. With `If-Match`, only that version is cancelled.",
    params: IdParams,
    headers: IfMatchHeader,
    answers: { 200: { description: "Cancelled", schema: CancelledPostView, headers: ETagHeader } },
    problems: [
      "post.missing",
      "post.changed",
      "post.publishing",
      "post.already_published",
      "post.not_scheduled",
    ],
  },
} as const satisfies Record<string, Operation>;
