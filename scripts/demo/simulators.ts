import path from "node:path";
import type { Registry } from "../../shared/connectors/registry.ts";
import type { Simulator, StartSimulator } from "../../shared/connectors/simulator.ts";

/** A stand-in for every platform of this installation. */
export interface Simulators {
  readonly connectors: Registry;
  /** @throws {Error} for a platform that this installation does not have */
  of(platform: string): Simulator;
  /** Settings that lead Postwell to them. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** A moment, as over a network; long enough that things overlap. */
const LATENCY_MS = 3;

/** Finds each platform's simulator beside its connector and starts it on loopback. */
export async function startSimulators(connectors: Registry, now: () => Date): Promise<Simulators> {
  const running = new Map<string, Simulator>();
  for (const id of connectors.keys()) {
    running.set(id, await startOne(id, now));
  }
  return {
    connectors,
    of(platform) {
      const simulator = running.get(platform);
      if (!simulator) throw new Error(`There is no platform ${platform} below shared/connectors.`);
      return simulator;
    },
    env: Object.fromEntries(
      [...running].map(([id, { url }]) => [
        `POSTWELL_${id.toUpperCase().replaceAll("-", "_")}_BASE_URL`,
        url,
      ]),
    ),
    close: async () => {
      await Promise.all([...running.values()].map((simulator) => simulator.close()));
    },
  };
}

async function startOne(id: string, now: () => Date): Promise<Simulator> {
  const extension = path.extname(import.meta.filename);
  const found: { startSimulator: StartSimulator } = await import(
    `../../shared/connectors/${id}/simulator${extension}`
  );
  return found.startSimulator({ now, latencyMs: LATENCY_MS });
}
