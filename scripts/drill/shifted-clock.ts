/**
 * Loaded before everything else in a worker whose machine has a wrong clock. Timers and `performance.now()` go on as before:
 * a wrong clock is wrong by an amount, it does not run at another speed.
 */
const aheadMs = Number(process.env["DRILL_CLOCK_AHEAD_MS"] ?? "0");
const RealDate = Date;

globalThis.Date = new Proxy(RealDate, {
  construct(target, parts: unknown[], newTarget) {
    const given = parts.length === 0 ? [RealDate.now() + aheadMs] : parts;
    const made: unknown = Reflect.construct(target, given, newTarget);
    return Object(made);
  },
  apply: () => new RealDate(RealDate.now() + aheadMs).toString(),
  get(target, property, receiver): unknown {
    if (property === "now") return () => RealDate.now() + aheadMs;
    return Reflect.get(target, property, receiver);
  },
});
