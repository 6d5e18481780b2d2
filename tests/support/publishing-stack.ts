import { afterAll, afterEach, beforeAll, beforeEach } from "@jest/globals";
import type { Selectable } from "kysely";
import type { Simulator } from "../../shared/connectors/simulator.ts";
import type { Actor } from "../../shared/context.ts";
import type { Tables } from "../../shared/db/tables.ts";
import { findDelivery } from "../../shared/queries/deliveries.ts";
import type { RunningWorker } from "../../worker/worker.ts";
import { startApi, type ApiClient, type TestApi } from "./api-client.ts";
import { anActor, type TestContext } from "./context.ts";
import {
  aConnectedChannel,
  aPlannedDelivery,
  contextWith,
  eventually,
  startSimulatorOf,
  startWorkers,
} from "./publishing.ts";
import { wipeRedis, type QueueMode } from "./queue-modes.ts";

/** When every test of such a stack begins. */
export const noon = new Date("2027-02-05T12:00:00Z");
export const secondsAfterNoon = (seconds: number) => new Date(noon.getTime() + seconds * 1_000);
export const minutesAfterNoon = (minutes: number) => secondsAfterNoon(minutes * 60);

type Channel = Awaited<ReturnType<typeof aConnectedChannel>>;

interface Plan extends Partial<Parameters<typeof aPlannedDelivery>[3]> {
  readonly texts: readonly string[];
  /** Another one than the test's. */
  readonly on?: Channel;
}

type StoredDelivery = Selectable<Tables["deliveries"]>;
type FoundDelivery = NonNullable<Awaited<ReturnType<typeof findDelivery>>>;

/** One platform's stand-in and a real context; each test finds a channel of its own, an empty queue, and no worker running. */
export interface PublishingStack extends TestContext {
  readonly simulator: Simulator;
  /** With an API, of a workspace of the test's own. */
  readonly actor: Actor;
  /** Only with an API. */
  readonly api: TestApi;
  /** The actor, over the API. */
  readonly client: ApiClient;
  readonly channel: Channel;
  /** What the simulator calls the channel's account. */
  readonly account: string;
  /** The same with another context. */
  withContext(context: TestContext["context"]): TestContext;
  /** One more channel. */
  connect(): Promise<Channel>;
  /** Plans a delivery on the channel, at noon where nothing else is said. @returns its id */
  plan(plan: Plan): Promise<string>;
  /** Workers that end with the test. */
  start(count?: number): Promise<RunningWorker[]>;
  /** The same for those that a test has started itself. */
  endWithTest(...workers: readonly Pick<RunningWorker, "stop">[]): void;
  /** Lets them end what they have in hand. Repeatable. */
  stopWorkers(): Promise<void>;
  find(deliveryId: string): Promise<FoundDelivery>;
  /** All that its own row says. */
  row(deliveryId: string): Promise<StoredDelivery>;
  /** Waits until the delivery is in a state. */
  reaches(deliveryId: string, state: string, withinMs?: number): Promise<FoundDelivery>;
  /** What is or was public of the channel: texts that end with its id. */
  posts(): ReturnType<Simulator["posts"]>;
}

export interface StackOptions {
  readonly withApi?: boolean;
  readonly platform?: string;
  readonly settings?: Readonly<Record<string, string>>;
  /** Stands between Postwell and the platform. */
  readonly intercept?: (fetch: typeof globalThis.fetch) => typeof globalThis.fetch;
}

/** Registers the hooks that make it, around the tests of the suite that it is called in. */
export function publishingStack(mode: QueueMode, options: StackOptions = {}): PublishingStack {
  const { platform = "sandbox", settings = {}, intercept = (fetch) => fetch } = options;
  let simulator: Simulator;
  let test: TestContext;
  let actor: Actor;
  let api: TestApi | null = null;
  let client: ApiClient | null = null;
  let channel: Channel;
  let accounts = 0;
  let workers: Pick<RunningWorker, "stop">[] = [];
  const account = (): string => `account ${accounts}`;
  const connect = (): Promise<Channel> => {
    accounts += 1;
    return aConnectedChannel(test, actor, platform, simulator.account(account()));
  };
  const stopWorkers = async (): Promise<void> => {
    await Promise.all(workers.map((worker) => worker.stop()));
    workers = [];
  };
  const find = async (id: string): Promise<FoundDelivery> => {
    const delivery = await findDelivery(test.db, actor.workspaceId, id);
    if (!delivery) throw new Error("There is no such delivery");
    return delivery;
  };
  const row = (id: string): Promise<StoredDelivery> =>
    test.db.selectFrom("deliveries").selectAll().where("id", "=", id).executeTakeFirstOrThrow();

  beforeAll(async () => {
    simulator = await startSimulatorOf(platform, { now: () => test.context.now() });
    const real = await contextWith({ [platform]: simulator }, { ...mode.settings, ...settings });
    test = { ...real, context: { ...real.context, fetch: intercept(real.context.fetch) } };
    if (options.withApi === true) api = await startApi(test.context);
    else actor = await anActor(test);
  });
  beforeEach(async () => {
    await wipeRedis(mode);
    await test.setClock(noon);
    if (api) {
      client = await api.signIn();
      ({ actor } = client);
    }
    channel = await connect();
  });
  afterEach(stopWorkers);
  afterAll(async () => {
    await api?.close();
    await test.close();
    await simulator.close();
  });

  return {
    get url() {
      return test.url;
    },
    get db() {
      return test.db;
    },
    get context() {
      return test.context;
    },
    get simulator() {
      return simulator;
    },
    get actor() {
      return actor;
    },
    get api() {
      return present(api);
    },
    get client() {
      return present(client);
    },
    get channel() {
      return channel;
    },
    get account() {
      return account();
    },
    setClock: (instant, how) => test.setClock(instant, how),
    syncClock: () => test.syncClock(),
    close: () => test.close(),
    withContext: (context) => ({ ...test, context }),
    connect,
    plan: ({ on = channel, ...plan }) =>
      aPlannedDelivery(test, actor, on, { dueAt: noon, ...plan }),
    async start(count) {
      const started = await startWorkers(test, count);
      workers.push(...started);
      return started;
    },
    endWithTest: (...started) => void workers.push(...started),
    stopWorkers,
    find,
    row,
    reaches: (id, state, withinMs) =>
      eventually(
        () => find(id),
        (delivery) => delivery.state === state,
        withinMs,
      ),
    posts: () => simulator.posts().filter(({ text }) => text.endsWith(channel.id)),
  };
}

function present<T>(made: T | null): T {
  if (made === null) throw new Error("The stack was asked for without its API.");
  return made;
}
