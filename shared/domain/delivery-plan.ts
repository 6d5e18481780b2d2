import { AppError } from "../errors.ts";
import { EDITABLE, IN_FLIGHT, type DeliveryState } from "./delivery.ts";
import type { Moment } from "./schedule.ts";

/** The part of a delivery that decides what may be done with it. */
export interface Living {
  readonly id: string;
  readonly channelId: string;
  readonly state: DeliveryState;
}

export function isEditable({ state }: Living): boolean {
  return EDITABLE.includes(state);
}

export function isInFlight({ state }: Living): boolean {
  return IN_FLIGHT.includes(state);
}

/** Something of it is public, and nothing is under way. */
export function isOut(delivery: Living): boolean {
  return !isEditable(delivery) && !isInFlight(delivery);
}

/**
 * Refuses where a worker has a delivery in hand, or nobody knows yet whether it is out: whatever we promised, the
 * platform might show the contrary.
 * @throws {AppError} conflict `post.publishing`, one field error for each delivery
 */
export function refuseInFlight(deliveries: readonly Living[]): void {
  const inFlight = deliveries.filter(isInFlight);
  if (inFlight.length === 0) return;
  throw new AppError(
    "conflict",
    "post.publishing",
    "The post is being published at this moment, or it is unknown whether it was. Nothing was changed. Wait for the outcome.",
    inFlight.map((delivery) => ofDelivery(delivery, "post.publishing")),
  );
}

/** @throws {AppError} conflict `post.already_published`, one field error for each delivery */
export function refuseOut(deliveries: readonly Living[]): void {
  const out = deliveries.filter(isOut);
  if (out.length === 0) return;
  throw new AppError(
    "conflict",
    "post.already_published",
    "The post is published on a channel that this would change. Nothing was changed. Write a new post instead.",
    out.map((delivery) => ofDelivery(delivery, "post.already_published")),
  );
}

function ofDelivery({ id, channelId, state }: Living, code: string) {
  const detail = `Delivery ${id} is ${WORDS[state] ?? state}.`;
  return { path: "deliveries", code, detail, facts: { deliveryId: id, channelId, state } };
}

const WORDS: Partial<Record<DeliveryState, string>> = {
  preparing: "being published",
  sending: "being published",
  unknown: "of unknown outcome: it may be published",
  partial: "published in part",
};

/** When deliveries go out, as it is stored with each of them. */
export interface Plan {
  readonly dueAt: Date;
  readonly localTime: string | null;
  readonly zone: string | null;
  readonly tzdb: string | null;
  readonly latestAt: Date;
}

export function planFor(
  { dueAt, localTime, zone, tzdb }: Omit<Moment, "repeated">,
  latestAfterMinutes: number,
): Plan {
  return { dueAt, localTime, zone, tzdb, latestAt: plusMinutes(dueAt, latestAfterMinutes) };
}

export function plusMinutes(time: Date, minutes: number): Date {
  return new Date(time.getTime() + minutes * 60_000);
}
