import { setTimeout as delay } from "node:timers/promises";
import { sql } from "kysely";
import type { Db } from "../../shared/db/client.ts";
import { METRICS } from "../../shared/connectors/connector.ts";
import { react } from "./audience.ts";
import type { DemoClock, Look } from "./demo-clock.ts";
import type { Company, PlayedScene, ScenePlayer } from "./scene-player.ts";

/** Between two looks at the outbox. */
const LOOK_EVERY_MS = 8;

/** What happens within this is not worth a jump. */
const AT_ONCE_MS = 5;

/** So long without a jump means that something hangs: a lease of a dead worker takes ten seconds, a hint that was lost five. */
const STUCK_AFTER_MS = 45_000;

export interface Conductor {
  readonly db: Db;
  readonly clock: DemoClock;
  readonly scenes: ScenePlayer;
  readonly company: Company;
  readonly signal: AbortSignal;
  onLook(look: Look): Promise<void>;
}

/** How the time went by. */
export interface Performance {
  readonly jumps: number;
  /** Real time. */
  readonly playedMs: number;
  readonly endedAt: Date;
}

/**
 * Lets time pass until nothing is left to do. Whenever nobody works and nothing is due, the clock jumps to the next thing
 * that is to happen, never past it: what happens then takes its real time.
 * @throws {Error} where nothing moves any more
 */
export async function conduct(conductor: Conductor): Promise<Performance> {
  const { clock, scenes, signal } = conductor;
  let jumps = 0;
  const startedMs = performance.now();
  let movedAtMs = startedMs;
  for (;;) {
    signal.throwIfAborted();
    const look = await clock.look();
    await conductor.onLook(look);
    await scenes.play(look.now);
    await killWhereDue(conductor);
    const next = earlier(look.nextAt, scenes.nextAt());
    if (look.isIdle) await scenes.tell();
    if (look.isOver && scenes.nextAt() === null) {
      return { jumps, playedMs: performance.now() - startedMs, endedAt: look.now };
    }
    if (look.isIdle && next !== null && next.getTime() - look.now.getTime() > AT_ONCE_MS) {
      letReadersReact(conductor, next);
      await clock.moveTo(next);
      jumps += 1;
      movedAtMs = performance.now();
    }
    if (performance.now() - movedAtMs > STUCK_AFTER_MS) throw stuck(look);
    await delay(LOOK_EVERY_MS);
  }
}

/** Kills the worker that waits for an answer to a post which is public already. */
async function killWhereDue({ db, scenes, company }: Conductor): Promise<void> {
  const scene = scenes.deadly();
  if (!scene || !isPublic(company, scene)) return;
  const { rows } = await sql<{ leasedBy: string | null }>`
    select leased_by from outbox
     where job = 'publish-channel' and subject_id = ${scene.channelId} and leased_until > now()`.execute(
    db,
  );
  const holder = rows[0]?.leasedBy ?? "";
  const { processes, screen } = company;
  // A worker's name ends in its pid and a random piece.
  const worker = processes.workers.find((one) => holder.includes(`-${one.pid()}-`));
  if (!worker) return;
  const pid = processes.kill(worker);
  scenes.buried();
  screen.say(
    `      ${screen.paint.bold(`kill -9 ${pid}`)}: ${worker.name} is dead. Another starts in its place. What the
      dead one held is free again after 10 s of real time.`,
  );
}

function isPublic({ simulators }: Company, { platform, firstText }: PlayedScene): boolean {
  return simulators
    .of(platform)
    .posts()
    .some(({ text }) => text === firstText);
}

function letReadersReact({ company: { simulators } }: Conductor, at: Date): void {
  for (const [id, { capabilities }] of simulators.connectors) {
    const reported = METRICS.filter((metric) => capabilities.engagement.metrics.includes(metric));
    react(simulators.of(id), reported, at);
  }
}

function earlier(one: Date | null, other: Date | null): Date | null {
  if (one === null || other === null) return one ?? other;
  return one < other ? one : other;
}

function stuck({ now, nextAt }: Look): Error {
  return new Error(
    `Nothing has moved for ${STUCK_AFTER_MS / 1_000} s. The demo's time is ${now.toISOString()}, the next work was due ${nextAt?.toISOString() ?? "never"}.`,
  );
}
