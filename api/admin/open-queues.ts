import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import type { Context } from "../../shared/context.ts";
import { JOBS } from "../../shared/jobs/registry.ts";
import { QUEUE_PREFIX, queueName } from "../../shared/queue-layout.ts";

/** A queue, to look at. */
export interface NamedQueue {
  readonly job: string;
  /** The platform. */
  readonly lane: string;
  readonly queue: Queue;
}

/** Every queue there is, over a connection that is there or not. */
export function openQueues({ connectors }: Context, connection: Redis): readonly NamedQueue[] {
  const lanes = JOBS.flatMap(({ name: job }) =>
    [...connectors.keys()].map((lane) => ({ job, lane })),
  );
  return lanes.map(({ job, lane }) => {
    const queue = openQueue(queueName({ job, lane }), connection);
    return { job, lane, queue };
  });
}

function openQueue(name: string, connection: Redis): Queue {
  const queue = new Queue(name, {
    connection,
    prefix: QUEUE_PREFIX,
    // Nothing is asked at the start: a first question that fails would be remembered for good.
    skipMetasUpdate: true,
    skipWaitingForReady: true,
    skipVersionCheck: true,
  });
  queue.on("error", () => {});
  return queue;
}
