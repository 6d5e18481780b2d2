import * as z from "zod";
import { ACTIONS, riskOf } from "../domain/choices.ts";
import { DELIVERY_STATES } from "../domain/delivery.ts";
import { FAILURES } from "../domain/failure.ts";
import { LIGHTS } from "../domain/preflight.ts";
import { DIFFERENCES, VERDICTS } from "../domain/read-back.ts";
import { WAIT_REASONS } from "../domain/wait.ts";
import { Id } from "./ids.ts";
import { Instant, WhenInput } from "./when.ts";

export const DeliveryStateName = z.enum(DELIVERY_STATES);

export const FailureKindName = z.enum(Object.keys(FAILURES));

/** A delivery as its post shows it. */
export const DeliverySummary = z
  .object({
    id: z.uuid(),
    channelId: z.uuid(),
    state: DeliveryStateName,
    dueAt: z.iso.datetime(),
  })
  .meta({ id: "DeliverySummary" });

const ErrorView = z
  .object({
    kind: z.string().describe("A kind of failure, or `missed`, `expired`, `held` or `partial`."),
    title: z.string(),
    detail: z.string().describe("What it means, above all: whether anything was published."),
    platformMessage: z.string().nullable().describe("The platform's own words; null for none."),
    nextStep: z.string(),
  })
  .meta({ id: "DeliveryError" });

const ReceiptPart = z.object({
  part: z.int().describe("From 0."),
  remoteId: z.string(),
  permalink: z.string().nullable(),
  publishedAt: z.iso.datetime(),
  removedAt: z.iso.datetime().nullable().describe("When it was taken away; null while it is out."),
  knownBy: z
    .enum(["answered", "reconciled", "person"])
    .describe("The platform answered, was asked afterwards, or a person saw it."),
});

const ReceiptView = z
  .object({
    remoteId: z.string().describe("Of the first part."),
    permalink: z.string().nullable(),
    publishedAt: z.iso.datetime(),
    parts: z.array(ReceiptPart),
  })
  .meta({ id: "Receipt" });

const AttemptView = z
  .object({
    part: z.int(),
    armedAt: z.iso.datetime().describe("Written before the platform was touched."),
    answeredAt: z.iso.datetime().nullable(),
    outcome: z
      .string()
      .nullable()
      .describe("`published`, `not_published` or a kind of failure; null while it is unknown."),
    error: ErrorView.nullable(),
  })
  .meta({ id: "Attempt" });

const VerdictName = z
  .enum(VERDICTS)
  .describe("`missing` is gone or not visible; `unreadable` says nothing about the post.");

const ReadBackView = z
  .object({
    takenAt: z.iso.datetime(),
    verdict: VerdictName,
    differences: z.array(
      z.object({
        part: z.int().describe("From 0."),
        what: z.enum(DIFFERENCES).describe("What is not there, or not as it was sent."),
      }),
    ),
    reason: z.string().nullable().describe("Why it could not be read: a kind of failure."),
  })
  .meta({ id: "ReadBack" });

const RemovalView = z
  .object({
    wishedAt: z.iso.datetime(),
    nextAt: z.iso
      .datetime()
      .nullable()
      .describe("When Postwell goes on with it; null where all is gone, or a person must act."),
    error: ErrorView.nullable().describe("Why the last try failed."),
  })
  .meta({ id: "Removal" });

const ChoiceView = z
  .object({
    action: z
      .enum(ACTIONS)
      .describe(
        "`retry`, `remove` and the post's `cancel` have their own addresses, the others go to `resolve`.",
      ),
    title: z.string(),
    risk: z.string(),
  })
  .meta({ id: "Choice" });

const WaitingView = z
  .object({
    reason: z.enum(Object.keys(WAIT_REASONS)),
    title: z.string(),
    detail: z.string(),
    until: z.iso.datetime().describe("When its channel goes on, or the platform is tried again."),
  })
  .meta({ id: "Waiting" });

const LightName = z
  .enum(LIGHTS)
  .describe(
    "`green` will go out; `amber` may be late, or less than it should be; `red` will not go out unless somebody acts.",
  );

export const ReasonView = z.object({
  code: z.string(),
  light: z.enum(["amber", "red"]),
  title: z.string(),
  nextStep: z.string(),
});

const PreflightView = z
  .object({ light: LightName, reasons: z.array(ReasonView), checkedAt: z.iso.datetime() })
  .meta({ id: "Preflight" });

export const DeliveryListItem = z
  .object({
    id: z.uuid(),
    postId: z.uuid(),
    channelId: z.uuid(),
    platform: z.string(),
    state: DeliveryStateName,
    version: z.int(),
    dueAt: z.iso.datetime(),
    local: z.string().nullable().describe("The wall clock that was meant; null for an instant."),
    zone: z.string().nullable(),
    latestAt: z.iso.datetime().describe("After this it does not go out by itself."),
    nextAt: z.iso
      .datetime()
      .nullable()
      .describe("When Postwell looks at it next; null where a person decides or all is done."),
    waiting: WaitingView.nullable().describe("Nothing has failed: its channel must wait for now."),
    publishedAt: z.iso.datetime().nullable(),
    receipt: ReceiptView.nullable(),
    isCutShort: z
      .boolean()
      .describe("Published, but a person left out the parts that `receipt` does not have."),
    removal: RemovalView.nullable().describe("Null where nobody wants it gone."),
    readBack: VerdictName.nullable().describe(
      "Whether the receipt held when the platform was asked last; null before it was asked.",
    ),
    preflight: PreflightView.nullable().describe(
      "Whether it will go out, as it was seen a day, an hour or five minutes before its time, or when its channel changed last; null before that, and once it has begun.",
    ),
    error: ErrorView.nullable(),
  })
  .meta({ id: "DeliveryListItem" });

export const DeliveryView = DeliveryListItem.extend({
  choices: z
    .array(ChoiceView)
    .describe("What a person may decide now, with what each of it risks; empty for nothing."),
  attempts: z.array(AttemptView),
  readBacks: z.array(ReadBackView).describe("Oldest first: after a minute, and after a day."),
}).meta({ id: "Delivery" });

/** `failed,missed` as a query has it. */
const CommaList = z.string().transform((text) => text.split(",").map((item) => item.trim()));

const StateList = CommaList.pipe(z.array(DeliveryStateName).min(1)).describe(
  "One state or several, separated by commas.",
);

/** Narrows `GET /api/v1/deliveries`. */
export const DeliveryFilter = z.object({
  state: StateList.optional(),
  channelId: Id.optional(),
  postId: Id.optional(),
  kind: FailureKindName.optional().describe("Of the failure."),
  readBack: CommaList.pipe(z.array(VerdictName).min(1))
    .optional()
    .describe("`differs,missing`: published, but not as it was sent, or not there any more."),
  preflight: CommaList.pipe(z.array(LightName).min(1))
    .optional()
    .describe("`red,amber`: planned, but something stands in the way."),
  from: Instant.optional().describe("Due at this instant or later."),
  to: Instant.optional().describe("Due before this instant."),
});

export const retryTime = {
  at: WhenInput.default("now"),
  latestAfterMinutes: z
    .int()
    .min(1)
    .max(10_080)
    .nullable()
    .default(null)
    .describe("How late it may go out; null for what the post says."),
};

/** `POST /api/v1/deliveries/{id}/retry`; an empty body means now. */
export const RetryDeliveryRequest = z.strictObject(retryTime);

/** `POST /api/v1/deliveries/{id}/resolve` */
export const ResolveDeliveryRequest = z
  .discriminatedUnion("outcome", [
    z
      .strictObject({
        outcome: z.literal("published"),
        permalink: z
          .url({ protocol: /^https?$/ })
          .max(2_048)
          .describe("The address of the post that you found."),
        remoteId: z
          .string()
          .trim()
          .min(1)
          .max(500)
          .nullable()
          .default(null)
          .describe("The platform's id of it; without it, the one that the address names."),
      })
      .describe(
        "You saw the post on the channel. If you are wrong, it will never go out, and its engagement cannot be read.",
      ),
    z
      .strictObject({
        outcome: z.literal("not_published"),
        // oxlint-disable-next-line unicorn/no-thenable -- a schema is no function, and neither is its value
        then: z
          .enum(["send_again", "drop"])
          .describe(
            "`send_again`: it goes out at once; if it was there after all, the public sees it twice. `drop`: it is not sent; if it was there after all, it stays there without a record here.",
          ),
      })
      .describe("You looked on the channel, and it is not there."),
    z
      .strictObject({ outcome: z.literal("go_on"), ...retryTime })
      .describe(`Of a thread that is half out, the missing parts go out. ${riskOf("go_on")}`),
    z
      .strictObject({ outcome: z.literal("stop_here") })
      .describe(
        `A thread that is half out stays so, and counts as published. ${riskOf("stop_here")}`,
      ),
    z
      .strictObject({ outcome: z.literal("remove") })
      .describe(
        `What is out of a thread is taken away, the last part first. ${riskOf("remove")} \`removal\` of the delivery shows how it goes.`,
      ),
  ])
  .describe(
    "What became of a delivery whose answer was lost (look at the channel first), or what is to become of a thread that is half out.",
  );

export type ResolveDeliveryRequest = z.output<typeof ResolveDeliveryRequest>;
export type DeliveryFilter = z.output<typeof DeliveryFilter>;
export type DeliveryListItem = z.output<typeof DeliveryListItem>;
export type DeliverySummary = z.output<typeof DeliverySummary>;
export type DeliveryView = z.output<typeof DeliveryView>;
export type DeliveryErrorView = z.output<typeof ErrorView>;
