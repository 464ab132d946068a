/** @returns a sentence for the log about each bound of MAX_BACKLOG whose queue QUEUES does not name */
export function unknownBounds(queues: readonly string[], bounded: readonly string[]): string[] {
  const unknown = bounded.filter((queue) => !queues.includes(queue));
  return unknown.map((queue) => `MAX_BACKLOG has a bound for the queue "${queue}", which QUEUES does not name`);
}

/** @returns a function that reports each registered type whose queue QUEUES does not name, once */
export function tellUnserved(
  queues: readonly string[],
  tell: (fault: string) => void,
): (types: readonly { type: string; queue: string }[]) => void {
  const told = new Map<string, string>(); // the queue of each type that was told
  return (types) => {
    for (const { type, queue } of types) {
      if (queues.includes(queue) || told.get(type) === queue) continue;
      told.set(type, queue);
      tell(
        `jobs of type ${type} are refused unless they name another queue: QUEUES does not name their own, "${queue}"`,
      );
    }
  };
}

/**
 * RabbitMQ's quorum queues have priorities from 4.0 on. https://www.rabbitmq.com/docs/quorum-queues#priorities
 *
 * @param version the broker's version; undefined while it is not known
 * @returns null while the version is not known
 */
export function obeysPriorities(version: string | undefined): boolean | null {
  const major = Number.parseInt(version ?? '', 10);
  return Number.isNaN(major) ? null : major >= 4;
}
