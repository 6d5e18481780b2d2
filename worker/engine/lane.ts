/** Where a subject's hints queue up: subjects of one lane wait for each other, those of different lanes never do. */
export interface Lane {
  readonly job: string;
  /** The platform. */
  readonly lane: string;
}

/** A lane's name among those of all jobs. */
export function laneOf({ job, lane }: Lane): string {
  return `${job}/${lane}`;
}
