import { access } from "node:fs/promises";
import { describe, expect, test } from "@jest/globals";
import { Capabilities } from "../../../shared/connectors/capabilities.ts";
import { METRICS, type Connector } from "../../../shared/connectors/connector.ts";
import { aPart } from "./parts.ts";
import { ACCOUNT, aCall, failureOf, inWorld, prepare, publish, throughJson } from "./world.ts";

export function describeAccounts(connector: Connector): void {
  describe("folder", () => {
    test.each(["index.ts", "simulator.ts", "README.md", "icon.svg"])("holds %s", async (name) => {
      const folder = new URL(`../../../shared/connectors/${connector.id}/`, import.meta.url);

      await expect(access(new URL(name, folder))).resolves.toBeUndefined();
    });

    test("has settings that work without being set", () => {
      expect(connector.settings.safeParse({}).success).toBe(true);
    });

    test("names only metrics that Postwell knows", () => {
      const { metrics } = connector.capabilities.engagement;

      expect(metrics.filter((name) => !METRICS.some((known) => known === name))).toEqual([]);
    });
  });

  describe("connecting", () => {
    test("tells whose account it is and what it can do", () =>
      inWorld(connector, async ({ connection }) => {
        expect(connection.remoteAccountId).not.toBe("");
        expect(connection.handle).not.toBe("");
        expect(Capabilities.parse(connection.capabilities)).toEqual(connection.capabilities);
      }));

    test("gives credentials that survive storage", () =>
      inWorld(connector, async ({ connection }) => {
        const stored = throughJson(connector.credentials, connection.credentials);

        expect(stored).toEqual(connection.credentials);
      }));

    test("gives the same account when it is done again", () =>
      inWorld(connector, async ({ connection, call }) => {
        const again = await connector.connect(call);

        expect(again.remoteAccountId).toBe(connection.remoteAccountId);
      }));

    test("tells two accounts apart", () =>
      inWorld(connector, async ({ connection, call, simulator }) => {
        const credentials = connector.credentials.parse(simulator.account("clinic"));

        const other = await connector.connect({ ...call, credentials });

        expect(other.remoteAccountId).not.toBe(connection.remoteAccountId);
      }));

    test("makes a channel that passes its check", () =>
      inWorld(connector, async ({ call }) => {
        await expect(connector.check(call)).resolves.toBeUndefined();
      }));
  });

  describe("a sign-in that has ended", () => {
    test("asks for a new one and publishes nothing", () =>
      inWorld(connector, async (world) => {
        const part = aPart();
        const prepared = await prepare(world, part);
        world.simulator.expireTokens(ACCOUNT);

        const onCheck = await failureOf(world, connector.check(world.call));
        const onCommit = await failureOf(world, connector.commit(part, prepared, world.call));

        expect([onCheck.kind, onCommit.kind]).toEqual(["reauthorize", "reauthorize"]);
        expect(world.simulator.posts()).toEqual([]);
      }));

    test("is put right by the person who connects again", () =>
      inWorld(connector, async (world) => {
        world.simulator.expireTokens(ACCOUNT, { forGood: true });
        const credentials = connector.credentials.parse(world.simulator.account(ACCOUNT));

        const again = await connector.connect({ ...world.call, credentials });
        await publish(world, aPart(), { ...world.call, credentials: again.credentials });

        expect(again.remoteAccountId).toBe(world.connection.remoteAccountId);
        expect(world.simulator.posts()).toHaveLength(1);
      }));

    const { renewal } = connector;
    if (!renewal) return;

    test("is renewed, and then it works", () =>
      inWorld(connector, async (world) => {
        world.simulator.expireTokens(ACCOUNT);

        const renewed = await renewal.renew(world.call);
        const call = { ...world.call, credentials: throughJson(connector.credentials, renewed) };
        await connector.check(call);
        await publish(world, aPart(), call);

        expect(call.credentials).toEqual(renewed);
        expect(world.simulator.posts()).toHaveLength(1);
      }));

    test("says when it ends, in the future", () =>
      inWorld(connector, async (world) => {
        const endsAt = renewal.expiresAt(world.call.credentials);

        expect(endsAt === null || endsAt > world.now()).toBe(true);
      }));

    test("needs a person when it has ended for good", () =>
      inWorld(connector, async (world) => {
        world.simulator.expireTokens(ACCOUNT, { forGood: true });

        const { kind } = await failureOf(world, renewal.renew(world.call));

        expect(kind).toBe("reauthorize");
      }));
  });

  describe("a platform that is away", () => {
    test("is unavailable to every call, and surely nothing was sent", () =>
      inWorld(connector, async (world) => {
        const part = aPart();
        const prepared = await prepare(world, part);
        const attempt = { prepared, armedAt: world.now() };
        await world.simulator.close();
        const call = aCall(world.call);

        const failures = await Promise.all(
          [
            connector.connect(call),
            connector.check(call),
            connector.commit(part, prepared, call),
            connector.reconcile(part, attempt, call),
          ].map((outcome) => failureOf(world, outcome)),
        );

        expect(failures.map(({ kind }) => kind)).toEqual(Array(4).fill("unavailable"));
      }));
  });
}
