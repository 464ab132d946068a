import type { Socket } from 'node:net';

/**
 * Makes the socket send all writes of one turn of the event loop in one system call. By itself, amqplib makes a call
 * for each message. That call is most of the cost of a small message.
 */
export function writeTogether(socket: Socket): void {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  let gathering = false;

  function flush(): void {
    gathering = false;
    socket.uncork();
  }

  socket.write = (...args: unknown[]): boolean => {
    if (!gathering) {
      gathering = true;
      socket.cork();
      process.nextTick(flush);
    }
    return write(...args);
  };
}

/**
 * Resolves when the messages published earlier in this turn of the event loop are written to the socket. It does not
 * wait for confirms, and never rejects. amqplib writes in a `setImmediate` inside a `process.nextTick`; this queues
 * behind it.
 */
export function whenWritten(): Promise<void> {
  return new Promise((resolve) => process.nextTick(setImmediate, resolve));
}
