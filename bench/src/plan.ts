/** How much is measured. */
export interface Plan {
  quick: boolean;
  rounds: Record<RowName, number>;
  warmUpSeconds: number;
  loadSeconds: number;
  batchSeconds: number;
  /** Part of the jobs that a system would run in a full bench. */
  shareOfJobs: number;
  /** Jobs in a round whose pick-up is measured. */
  pickUps: number;
  /** Numbers of finished jobs in the table. */
  sizes: number[];
}

/** The values of `--only`. CPU, memory, start-up and SQL are measured with `accept` and `run`. */
export const rowNames = ['accept', 'run', 'pick-up', 'makespan', 'growth'] as const;
/** A value of `--only`. */
export type RowName = (typeof rowNames)[number];

/** The plan of a full bench. */
export const full: Plan = {
  quick: false,
  rounds: { accept: 3, run: 3, 'pick-up': 5, makespan: 3, growth: 5 },
  warmUpSeconds: 2,
  loadSeconds: 5,
  batchSeconds: 3,
  shareOfJobs: 1,
  pickUps: 120,
  sizes: [0, 1_000_000, 5_000_000],
};

/** The plan of `--quick`. */
export const quick: Plan = {
  quick: true,
  rounds: { accept: 1, run: 1, 'pick-up': 1, makespan: 1, growth: 1 },
  warmUpSeconds: 1,
  loadSeconds: 1,
  batchSeconds: 1,
  shareOfJobs: 0.2,
  pickUps: 40,
  sizes: [0, 200_000],
};
