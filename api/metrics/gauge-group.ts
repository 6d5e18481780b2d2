import { Gauge, type Registry } from "prom-client";

/** Gauges that are read together, from one place. */
export interface GaugeGroup {
  readonly gauges: readonly Gauge[];
  /** Reads their values anew. */
  readonly fill: () => Promise<void>;
}

/** A gauge of Postwell; its labels hold ids and closed lists only. */
export function addGauge<Label extends string>(
  register: Registry,
  name: string,
  help: string,
  labelNames: readonly Label[] = [],
): Gauge<Label> {
  return new Gauge({ name: `postwell_${name}`, help, labelNames, registers: [register] });
}

/** Fills a group; where that fails it says nothing at all, instead of what was true once. @returns whether it was filled */
export async function fillOrClear({ gauges, fill }: GaugeGroup): Promise<boolean> {
  for (const gauge of gauges) gauge.reset();
  try {
    await fill();
    return true;
  } catch {
    for (const gauge of gauges) gauge.remove({});
    return false;
  }
}
