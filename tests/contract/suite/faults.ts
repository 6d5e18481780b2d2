import { describe, expect, test } from "@jest/globals";
import type { Connector, OutgoingPart } from "../../../shared/connectors/connector.ts";
import { FAULTS, type Fault } from "../../../shared/connectors/simulator.ts";
import type { FailureKind } from "../../../shared/domain/failure.ts";
import { aPart, aPicture, TRICKY_TEXT } from "./parts.ts";
import { DAY_MS, failureOf, inWorld, MINUTE_MS, prepare, publish, type World } from "./world.ts";

interface Expectation {
  readonly kind: FailureKind;
  /** Whether the post is public although the commit failed. */
  readonly isPublic: boolean;
}

/** What a commit must answer under each fault that concerns it. */
const COMMIT_FAULTS: Readonly<Partial<Record<Fault, Expectation>>> = {
  commit_rate_limited: { kind: "rate_limited", isPublic: false },
  commit_unavailable: { kind: "unknown_outcome", isPublic: false },
  commit_unavailable_after_success: { kind: "unknown_outcome", isPublic: true },
  commit_reset_after_success: { kind: "unknown_outcome", isPublic: true },
  commit_reset_before: { kind: "unknown_outcome", isPublic: false },
  commit_hang_after_success: { kind: "unknown_outcome", isPublic: true },
  commit_html_after_success: { kind: "unknown_outcome", isPublic: true },
  commit_content_rejected: { kind: "content_rejected", isPublic: false },
};

const UPLOAD_FAULTS: Readonly<Partial<Record<Fault, FailureKind>>> = {
  upload_unavailable: "unavailable",
  upload_invalid: "media_invalid",
};

/** The other faults have a test of their own, here or in `reconciling.ts`, `engagement.ts` and `read-back.ts`. */
const OTHER_FAULTS: readonly Fault[] = [
  "upload_processing",
  "read_unavailable",
  "read_lags",
  "metrics_partial",
  "read_altered",
  "read_missing",
  "read_without_alt",
];

export function describeFaults(connector: Connector): void {
  test("meets every fault that there is", () => {
    const met = [...Object.keys(COMMIT_FAULTS), ...Object.keys(UPLOAD_FAULTS), ...OTHER_FAULTS];

    expect(met.sort()).toEqual([...FAULTS].sort());
  });

  describe.each(entries(COMMIT_FAULTS))("under %s", (fault, { kind, isPublic }) => {
    test(`fails as ${kind}, and reconciling finds ${isPublic ? "that post" : "nothing"}`, () =>
      inWorld(connector, async (world) => {
        const part = aPart({ text: TRICKY_TEXT });
        const prepared = await prepare(world, part);
        const armedAt = world.now();

        const error = await failureOf(world, commitUnder(fault, world, { part, prepared }));
        world.pass(MINUTE_MS + connector.capabilities.idempotency.visibilityLagMs);
        const found = await connector.reconcile(part, { prepared, armedAt }, world.call);

        const posts = world.simulator.posts();
        expect(error.kind).toBe(kind);
        expect(posts).toHaveLength(isPublic ? 1 : 0);
        expect(found?.remoteId ?? null).toBe(isPublic ? posts[0]?.remoteId : null);
        if (kind === "rate_limited") expectSoon(error.until, armedAt);
      }));

    test("goes on as if nothing had been, once the fault is over", () =>
      inWorld(connector, async (world) => {
        const part = aPart({ text: "First" });
        const prepared = await prepare(world, part);
        await failureOf(world, commitUnder(fault, world, { part, prepared }));
        world.pass(DAY_MS / 24);

        const { remoteId } = await publish(world, aPart({ text: "Second" }));

        expect(world.simulator.posts().at(-1)).toMatchObject({ remoteId, text: "Second" });
      }));
  });

  if (connector.capabilities.media.maxCount > 0) describeUploads(connector);

  describe("a signal that has ended already", () => {
    test("stops every call before anything is public", () =>
      inWorld(connector, async (world) => {
        const part = aPart();
        const prepared = await prepare(world, part);
        const call = { ...world.call, signal: AbortSignal.abort() };

        const check = await failureOf(world, connector.check(call));
        const commit = await failureOf(world, connector.commit(part, prepared, call));
        const attempt = { prepared, armedAt: world.now() };
        const reconcile = await failureOf(world, connector.reconcile(part, attempt, call));

        expect(["unavailable", "unknown_outcome"]).toContain(commit.kind);
        expect([check.kind, reconcile.kind]).toEqual(["unavailable", "unavailable"]);
        expect(world.simulator.posts()).toEqual([]);
      }));
  });
}

function describeUploads(connector: Connector): void {
  test.each(entries(UPLOAD_FAULTS))(
    "under %s preparing fails as %s, and works once the fault is over",
    (fault, kind) =>
      inWorld(connector, async (world) => {
        const part = aPart({ media: [aPicture(1, "One"), aPicture(2, "Two")] });
        world.simulator.fault(fault, 1);

        const error = await failureOf(world, prepare(world, part));
        await publish(world, part);

        expect(error.kind).toBe(kind);
        expect(world.simulator.posts()).toMatchObject([{ altTexts: ["One", "Two"] }]);
      }),
  );

  test("under upload_processing preparing waits until the picture is ready", () =>
    inWorld(connector, async (world) => {
      world.simulator.fault("upload_processing", 1);

      await publish(world, aPart({ media: [aPicture(1, "One")] }));

      expect(world.simulator.posts()).toMatchObject([{ altTexts: ["One"] }]);
    }));

  test("preparing stops when its signal ends", () =>
    inWorld(connector, async (world) => {
      const part = aPart({ media: [aPicture(1, "One")] });
      const call = { ...world.call, signal: AbortSignal.abort() };

      const { kind } = await failureOf(world, prepare(world, part, call));

      expect(kind).toBe("unavailable");
    }));
}

/** Commits; where the answer never comes, ends the call once the post is public, as a caller's patience does. */
async function commitUnder(
  fault: Fault,
  { connector, simulator, call }: World,
  { part, prepared }: { part: OutgoingPart; prepared: unknown },
): Promise<void> {
  simulator.fault(fault, 1);
  const patience = new AbortController();
  const signal = AbortSignal.any([call.signal, patience.signal]);
  const committing = connector.commit(part, prepared, { ...call, signal });
  // Awaited below; until then a failure must not count as unhandled.
  committing.catch(() => undefined);
  if (fault === "commit_hang_after_success") {
    while (simulator.posts().length === 0 && !call.signal.aborted) await nextTurn();
    patience.abort();
  }
  await committing;
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

function expectSoon(until: Date | null, now: Date): void {
  expect(until).toBeInstanceOf(Date);
  expect((until?.getTime() ?? 0) - now.getTime()).toBeGreaterThan(0);
  expect((until?.getTime() ?? 0) - now.getTime()).toBeLessThanOrEqual(DAY_MS);
}

function entries<Value>(faults: Readonly<Partial<Record<Fault, Value>>>): [Fault, Value][] {
  return FAULTS.flatMap((name) => {
    const value = faults[name];
    return value === undefined ? [] : [[name, value] satisfies [Fault, Value]];
  });
}
