import { Gauge, type Registry } from '@offload/process';

/** Number of failures in a row that open the circuit of a host. */
const FAILURES_TO_OPEN = 10;
/** Milliseconds that a circuit stays open at first. Each failed probe doubles the pause, up to the longest. */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;
/** Milliseconds without an attempt after which a host and its failures are forgotten. */
const FORGET_MS = 5 * 60_000;

/**
 * Limits the attempts to each host (with its port), so that one dead receiver delays no other. A host whose circuit is
 * open gets none.
 *
 * ```
 * closed ──failures in a row──▶ open ──pause over──▶ half open: one probe ──it fails──▶ open, for longer
 *    ▲───────────────────────────── anything else that it answers ─────────────────────────┘
 * ```
 */
export interface Hosts {
  /** The hosts that may get fewer than `perHost` attempts now, with the number for each. */
  room(): Map<string, number>;
  begin(host: string): void;
  /** Records the end of an attempt. @param failed true without an answer, or with 5xx or 429; null when unknown */
  end(host: string, failed: boolean | null): void;
}

interface Host {
  inFlight: number;
  failures: number;
  pauseMs: number;
  openUntil: number;
  /** Time of the last failure. */
  failedAt: number;
  /** Whether the only running attempt is the probe of an open circuit. */
  isProbed: boolean;
}

/** Makes the circuits. @param now the clock, in milliseconds. @default performance.now */
export function createHosts(perHost: number, metrics: Registry, now: () => number = () => performance.now()): Hosts {
  const hosts = new Map<string, Host>();
  const isTripped = ({ failures }: Host): boolean => failures >= FAILURES_TO_OPEN;
  /**
   * Above 0 means that a receiver failed ten times in a row. Its webhooks wait and use up no attempts. The notifier's
   * log and `GET /v1/jobs/{id}/deliveries` have the reason; tell the receiver's operator.
   */
  new Gauge({
    name: 'offload_webhook_hosts_open',
    help: 'Hosts that get no webhooks for now, because so many failed in a row',
    registers: [metrics],
    collect() {
      this.set([...hosts.values()].filter(isTripped).length);
    },
  });

  function roomOf(host: Host): number {
    if (!isTripped(host)) return Math.max(perHost - host.inFlight, 0);
    return now() >= host.openUntil && host.inFlight === 0 ? 1 : 0;
  }

  return {
    room() {
      for (const [name, host] of hosts) {
        if (host.inFlight === 0 && now() > host.failedAt + FORGET_MS) hosts.delete(name);
      }
      const room = [...hosts].map(([name, host]): [string, number] => [name, roomOf(host)]);
      return new Map(room.filter(([, free]) => free < perHost));
    },
    begin(name) {
      const host = hosts.get(name) ?? {
        inFlight: 0,
        failures: 0,
        pauseMs: 0,
        openUntil: 0,
        failedAt: 0,
        isProbed: false,
      };
      hosts.set(name, host);
      host.isProbed = isTripped(host);
      host.inFlight += 1;
    },
    end(name, failed) {
      const host = hosts.get(name);
      if (!host) return;
      host.inFlight -= 1;
      if (failed === false) Object.assign(host, { failures: 0, pauseMs: 0 });
      if (failed === true) {
        host.failures += 1;
        host.failedAt = now();
        // Only the probe counts. Other attempts were running when the circuit opened and show nothing new.
        if (host.failures === FAILURES_TO_OPEN || host.isProbed) {
          host.pauseMs = Math.min(Math.max(2 * host.pauseMs, FIRST_PAUSE_MS), LONGEST_PAUSE_MS);
          host.openUntil = now() + host.pauseMs;
        }
      }
      if (host.inFlight === 0 && host.failures === 0) hosts.delete(name);
    },
  };
}
