import { describe, expect, test } from "@jest/globals";
import type { Connector } from "../../../shared/connectors/connector.ts";
import { remoteIdFrom } from "../../../shared/domain/permalink.ts";
import { aPart } from "./parts.ts";
import { inWorld, publish, type World } from "./world.ts";

export function describeAddresses(connector: Connector): void {
  const remoteIdOf = connector.remoteIdOf?.bind(connector);
  const idOf = async (permalink: string, { call }: World) =>
    remoteIdOf ? remoteIdOf(permalink, call) : remoteIdFrom(permalink);

  describe("the address of a post", () => {
    test("leads to its id, so that a person may name a post by it", () =>
      inWorld(connector, async (world) => {
        const { permalink, remoteId } = await publish(world, aPart());

        expect(await idOf(`${permalink}?from=a-friend#top`, world)).toBe(remoteId);
      }));

    if (remoteIdOf) {
      test("is not any page of the platform", () =>
        inWorld(connector, async (world) => {
          const { permalink } = await publish(world, aPart());
          const pages = ["/", "/profile/heart", "/post/"].map((path) =>
            new URL(path, permalink ?? "").toString(),
          );

          for (const page of pages) expect(await idOf(page, world)).toBeNull();
        }));
    }
  });
}
