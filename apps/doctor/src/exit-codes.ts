/** The exit codes. Those above 1 are of sysexits.h. */
export const exitCodes = {
  agrees: 0,
  disagrees: 1,
  /** EX_USAGE: the command line is wrong. */
  usage: 64,
  /** EX_UNAVAILABLE: the database or the broker can't be reached. */
  unavailable: 69,
  /** EX_SOFTWARE: an unexpected fault; stderr says what failed. */
  software: 70,
  /** EX_CONFIG: the configuration is wrong. */
  configuration: 78,
} as const;

/** One of {@link exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
