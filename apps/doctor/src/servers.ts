import { hostname } from 'node:os';
import { DatabaseUnavailableError, openDatabase, type Database } from '@offload/database';
import { BrokerUnavailableError, connect, type Connection, type Topology } from '@offload/messaging';
import { delay } from '@offload/process';
import type { Configuration } from './configuration.ts';

/** The database or the broker can't be reached. The message names the server, without its password. */
export class UnreachableError extends Error {
  override name = 'UnreachableError';
  readonly code = 'unreachable';
}

/** The connections of the doctor. */
export interface Servers {
  database: Database;
  /** Declares nothing, so that missing queues can be reported. */
  broker: Connection;
  /** Names of the servers, for people. */
  readonly names: { database: string; broker: string };
  close(): Promise<void>;
}

/**
 * Connects to the database and the broker.
 *
 * @param patienceMs most time for each, in milliseconds
 * @throws UnreachableError that names each server that does not answer
 */
export async function openServers(config: Configuration, patienceMs: number): Promise<Servers> {
  const names = { database: shown(config.DATABASE_URL), broker: shown(config.AMQP_URL) };
  const database = openDatabase({ url: config.DATABASE_URL, poolSize: 2, timeoutMs: patienceMs });
  const [stored, connected] = await Promise.allSettled([database.ping(), connectTo(config, {}, patienceMs)]);
  const faults = [
    stored.status === 'rejected' && `The database ${names.database} can't be reached: ${reasonOf(stored.reason)}`,
    connected.status === 'rejected' && `The broker ${names.broker} can't be reached: ${reasonOf(connected.reason)}`,
  ].filter((fault) => fault !== false);
  const broker = connected.status === 'fulfilled' ? connected.value : null;
  const close = async (): Promise<void> => void (await Promise.all([broker?.close(), database.close()]));
  if (broker && faults.length === 0) return { database, broker, names, close };
  await close();
  if (config.serversFile !== null) {
    faults.push(`(The URLs are from ${config.serversFile}. Is \`npm start\` still running?)`);
  }
  throw new UnreachableError(faults.join('\n'));
}

/**
 * Opens a connection to the broker.
 *
 * @param topology exchanges and queues that the connection declares
 * @throws Error with the reason when it is not open in time
 */
export async function connectTo(config: Configuration, topology: Topology, patienceMs: number) {
  const connection = connect({
    url: config.AMQP_URL,
    tls: { ca: config.AMQP_CA_FILE },
    name: `doctor-${hostname()}-${process.pid}`,
    topology,
    maxReconnectDelayMs: 500,
  });
  const untold = (): void => undefined; // each later request to the broker rejects with the reason
  connection.events.on('state', untold).on('fault', untold).on('channelLost', untold);
  const late = new AbortController();
  const tooLate = delay(patienceMs, undefined, { signal: late.signal }).then(
    () => {
      throw new Error(connection.reason ?? `no answer within ${patienceMs / 1_000} s`);
    },
    () => undefined,
  );
  try {
    await Promise.race([connection.opened, tooLate]);
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  } finally {
    late.abort();
  }
}

/** Converts the loss of a connection in use into UnreachableError. */
export function orUnreachable(error: unknown): unknown {
  const away = error instanceof DatabaseUnavailableError || error instanceof BrokerUnavailableError;
  return away ? new UnreachableError(capitalised(error.message), { cause: error }) : error;
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  if (!(error instanceof DatabaseUnavailableError)) return message;
  const { message: reason, code } = (cause ?? {}) as { message?: string; code?: string };
  return reason || code || message; // an AggregateError of several addresses has no message
}

/** A URL without user and password. */
function shown(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
